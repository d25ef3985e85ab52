/** What those who look on are shown of a file. */
import { statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  type Insight,
  type NewestFirst,
  type Outline,
  PARAM_BYTES_MAX,
  PARAM_HEAD_LENGTH,
  type Tagged,
} from "../insight.ts";
import { endOfPrefix, openCounts, outlineOf } from "../outline-rows.ts";
import { hashOf, promiseOf, type Row, taskOf } from "../rows.ts";
import { PROMISE_COLUMNS, TASK_COLUMNS } from "./statements.ts";

const OUTLINE = `p.seq, p.id, p.state, p.timeout_at, p.created_at, p.settled_at, p.tags,
  octet_length(p.param) AS param_bytes, octet_length(p.value) AS value_bytes,
  CASE WHEN octet_length(p.param) <= ${PARAM_BYTES_MAX} THEN substr(p.param, 1, ${PARAM_HEAD_LENGTH}) END AS param_head,
  ${TASK_COLUMNS}`;
const FROM = "FROM promises p LEFT JOIN tasks t ON t.seq = p.seq";
/** A list, given as the text of a JSON array. */
const listed = (place: string) => `(SELECT value FROM json_each(${place}))`;
const upTo = (from: string) => `(SELECT count(*) FROM (SELECT 1 FROM ${from} LIMIT ?1))`;

/** A cross join goes through the list in its order, and through the index for each. */
function tagged(column: "origin" | "caller"): string {
  return `SELECT w.key AS by, ${OUTLINE} FROM json_each(?) w
    CROSS JOIN promises p ON p.${column} = w.value AND p.seq > CASE WHEN w.key = 0 THEN ? ELSE 0 END
    LEFT JOIN tasks t ON t.seq = p.seq LIMIT ?`;
}

/** Each is a key look-up or a part of an index. */
export const INSIGHT = {
  runs: `SELECT ${OUTLINE} ${FROM} WHERE p.origin IS NULL AND p.caller IS NULL AND p.seq < ? ORDER BY p.seq DESC LIMIT ?`,
  halted: `SELECT ${OUTLINE} FROM tasks t JOIN promises p ON p.seq = t.seq
    WHERE t.state IN (2, 3) AND t.state = 3 AND t.seq < ? ORDER BY t.seq DESC LIMIT ?`,
  named: `SELECT ${OUTLINE} ${FROM} WHERE p.id > ? AND p.id >= ? AND p.id < ? ORDER BY p.id LIMIT ?`,
  namedLast: `SELECT ${OUTLINE} ${FROM} WHERE p.id > ? AND p.id >= ? ORDER BY p.id LIMIT ?`,
  outlines: `SELECT ${OUTLINE} ${FROM} WHERE p.id IN ${listed("?")}`,
  members: tagged("origin"),
  called: tagged("caller"),
  whole: `SELECT ${PROMISE_COLUMNS}, ${TASK_COLUMNS} ${FROM} WHERE p.id = ?`,
  awaiters: `SELECT two.id FROM promises one JOIN callbacks c ON c.awaited = one.seq
    JOIN promises two ON two.seq = c.awaiter WHERE one.id = ? LIMIT ?`,
  listeners:
    "SELECT address FROM promises p JOIN listeners l ON l.awaited = p.seq WHERE p.id = ? LIMIT ?",
  awaits: `SELECT one.id AS awaiter, two.id AS awaited FROM promises one JOIN callbacks c ON c.awaiter = one.seq
    JOIN promises two ON two.seq = c.awaited WHERE one.id IN ${listed("?")} LIMIT ?`,
  open: `SELECT ${upTo("promises WHERE due_at IS NOT NULL AND settled_at IS NULL")} AS promises,
    ${upTo("tasks WHERE due_at IS NOT NULL AND state = 0")} AS pending,
    ${upTo("tasks WHERE state = 1")} AS acquired,
    ${upTo("tasks WHERE state IN (2, 3) AND state = 2")} AS suspended,
    ${upTo("tasks WHERE state IN (2, 3) AND state = 3")} AS halted`,
  held: "SELECT pid, count(*) AS held FROM (SELECT pid FROM tasks WHERE state = 1 ORDER BY pid LIMIT ?) GROUP BY pid",
} as const;

/** Runs one question when no transaction is under way: what is not committed is shown to nobody. */
type Ask = <T>(question: () => T) => Promise<T>;

export class SqliteInsight implements Insight {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #ask: Ask;

  constructor(db: DatabaseSync, path: string, ask: Ask) {
    this.#db = db;
    this.#path = path;
    this.#ask = ask;
  }

  runs({ before = Number.MAX_SAFE_INTEGER, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("runs", before, limit);
  }

  halted({ before = Number.MAX_SAFE_INTEGER, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("halted", before, limit);
  }

  named(prefix: string, { after, limit }: { after: string; limit: number }) {
    const end = endOfPrefix(prefix);
    return end === undefined
      ? this.#outlines("namedLast", after, prefix, limit)
      : this.#outlines("named", after, prefix, end, limit);
  }

  outlines(ids: readonly string[]): Promise<readonly Outline[]> {
    return this.#outlines("outlines", JSON.stringify(ids));
  }

  members(origins: readonly string[], { after, limit }: { after: number; limit: number }) {
    return this.#tagged("members", origins, after, limit);
  }

  called(callers: readonly string[], { after, limit }: { after: number; limit: number }) {
    return this.#tagged("called", callers, after, limit);
  }

  async whole(id: string) {
    const [row] = await this.#rows("whole", id);
    if (!row) return undefined;
    return { promise: promiseOf(row), ...(row["task_state"] !== null && { task: taskOf(row) }) };
  }

  async awaiters(id: string, limit: number): Promise<readonly string[]> {
    return (await this.#rows("awaiters", id, limit)).map((row) => String(row["id"]));
  }

  async listeners(id: string, limit: number): Promise<readonly string[]> {
    return (await this.#rows("listeners", id, limit)).map((row) => String(row["address"]));
  }

  async awaits(ids: readonly string[], limit: number) {
    const rows = await this.#rows("awaits", JSON.stringify(ids), limit);
    return rows.map((row) => ({
      awaiter: String(row["awaiter"]),
      awaited: String(row["awaited"]),
    }));
  }

  async open(limit: number) {
    const [row] = await this.#rows("open", limit + 1);
    return openCounts(row, limit);
  }

  async held(limit: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#rows("held", limit);
    return new Map(rows.map((row) => [String(row["pid"]), Number(row["held"])]));
  }

  async bytes(): Promise<number> {
    const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return sizeOf(this.#path) + sizeOf(`${this.#path}-wal`);
  }

  async #outlines(name: keyof typeof INSIGHT, ...cells: readonly SQLInputValue[]) {
    return (await this.#rows(name, ...cells)).map(outlineOf);
  }

  async #tagged(
    name: "members" | "called",
    texts: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly Tagged[]> {
    const rows = await this.#rows(name, JSON.stringify(texts.map(hashOf)), after, limit);
    return rows.map((row) => ({ outline: outlineOf(row), by: Number(row["by"]) }));
  }

  /** Prepared anew each time: somebody looks now and then, and preparing takes some microseconds. */
  #rows(name: keyof typeof INSIGHT, ...cells: readonly SQLInputValue[]): Promise<readonly Row[]> {
    return this.#ask(() => this.#db.prepare(INSIGHT[name]).all(...cells));
  }
}
