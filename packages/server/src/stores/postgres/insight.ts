/** What those who look on are shown of a database. */
import {
  type Insight,
  type NewestFirst,
  type Outline,
  PARAM_BYTES_MAX,
  PARAM_HEAD_LENGTH,
  type Tagged,
} from "../insight.ts";
import { endOfPrefix, openCounts, outlineOf } from "../outline-rows.ts";
import { hashOf, promiseOf, taskOf } from "../rows.ts";
import { COLUMNS } from "./statements.ts";
import type { Query } from "./transaction.ts";

const OUTLINE = `p.seq, p.id, p.timeout_at, p.created_at, p.tags, p.state, p.settled_at,
  p.task_state, p.task_version, p.task_resumes, p.task_ttl, p.task_pid, p.task_due_at, p.task_failures, p.task_cause,
  octet_length(p.param) AS param_bytes, octet_length(p.value) AS value_bytes,
  CASE WHEN octet_length(p.param) <= ${PARAM_BYTES_MAX} THEN left(p.param, ${PARAM_HEAD_LENGTH}) END AS param_head`;
const FROM = "FROM resonate.promises p";
const upTo = (where: string) =>
  `(SELECT count(*) FROM (SELECT 1 FROM resonate.promises WHERE ${where} LIMIT $1) counted)`;

/** Goes through the list in its order, and through the index for each, as far as is wanted. */
function tagged(column: "origin" | "caller"): string {
  return `SELECT w.rank - 1 AS by, m.* FROM unnest($1::bigint[]) WITH ORDINALITY AS w (hash, rank)
    CROSS JOIN LATERAL (
      SELECT ${OUTLINE} ${FROM} WHERE p.${column} = w.hash AND p.seq > CASE WHEN w.rank = 1 THEN $2::bigint ELSE 0 END
      ORDER BY p.seq LIMIT $3
    ) m LIMIT $3`;
}

/** Each is a key look-up or a part of an index. */
export const INSIGHT = {
  runs: `SELECT ${OUTLINE} ${FROM} WHERE p.origin IS NULL AND p.caller IS NULL AND p.seq < $1 ORDER BY p.seq DESC LIMIT $2`,
  halted: `SELECT ${OUTLINE} ${FROM} WHERE p.task_state = 3 AND p.task_state IN (2, 3) AND p.seq < $1 ORDER BY p.seq DESC LIMIT $2`,
  named: `SELECT ${OUTLINE} ${FROM} WHERE p.id > $1 AND p.id >= $2 AND p.id < $3 ORDER BY p.id LIMIT $4`,
  namedLast: `SELECT ${OUTLINE} ${FROM} WHERE p.id > $1 AND p.id >= $2 ORDER BY p.id LIMIT $3`,
  outlines: `SELECT ${OUTLINE} ${FROM} WHERE p.id = ANY($1)`,
  members: tagged("origin"),
  called: tagged("caller"),
  whole: `SELECT ${COLUMNS} ${FROM} WHERE p.id = $1`,
  awaiters: `SELECT two.id FROM resonate.promises one JOIN resonate.callbacks c ON c.awaited = one.seq
    JOIN resonate.promises two ON two.seq = c.awaiter WHERE one.id = $1 LIMIT $2`,
  listeners: `SELECT l.address ${FROM} JOIN resonate.listeners l ON l.awaited = p.seq WHERE p.id = $1 LIMIT $2`,
  awaits: `SELECT one.id AS awaiter, two.id AS awaited FROM resonate.promises one
    JOIN resonate.callbacks c ON c.awaiter = one.seq JOIN resonate.promises two ON two.seq = c.awaited
    WHERE one.id = ANY($1) LIMIT $2`,
  open: `SELECT ${upTo("due_at IS NOT NULL AND settled_at IS NULL")} AS promises,
    ${upTo("task_state = 0")} AS pending,
    ${upTo("task_state = 1")} AS acquired,
    ${upTo("task_state IN (2, 3) AND task_state = 2")} AS suspended,
    ${upTo("task_state IN (2, 3) AND task_state = 3")} AS halted`,
  held: `SELECT task_pid, count(*) AS held FROM (
      SELECT task_pid FROM resonate.promises WHERE task_state = 1 ORDER BY task_pid LIMIT $1
    ) held GROUP BY task_pid`,
} as const;

/** Not about rows: the database's own account of its tables. */
const BYTES = `SELECT sum(pg_total_relation_size(c.oid))::bigint AS bytes FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'resonate' AND c.relkind = 'r'`;

const NEWEST = Number.MAX_SAFE_INTEGER;

export class PostgresInsight implements Insight {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  runs({ before = NEWEST, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("runs", before, limit);
  }

  halted({ before = NEWEST, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("halted", before, limit);
  }

  named(prefix: string, { after, limit }: { after: string; limit: number }) {
    const end = endOfPrefix(prefix);
    return end === undefined
      ? this.#outlines("namedLast", after, prefix, limit)
      : this.#outlines("named", after, prefix, end, limit);
  }

  outlines(ids: readonly string[]): Promise<readonly Outline[]> {
    return this.#outlines("outlines", ids);
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
    const rows = await this.#rows("awaits", ids, limit);
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
    return new Map(rows.map((row) => [String(row["task_pid"]), Number(row["held"])]));
  }

  async bytes(): Promise<number> {
    const [row] = await this.#query(BYTES, [], "insight bytes");
    return Number(row?.["bytes"] ?? 0);
  }

  async #outlines(name: keyof typeof INSIGHT, ...values: readonly unknown[]) {
    return (await this.#rows(name, ...values)).map(outlineOf);
  }

  async #tagged(
    name: "members" | "called",
    texts: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly Tagged[]> {
    const rows = await this.#rows(name, texts.map(hashOf), after, limit);
    return rows.map((row) => ({ outline: outlineOf(row), by: Number(row["by"]) }));
  }

  #rows(name: keyof typeof INSIGHT, ...values: readonly unknown[]) {
    return this.#query(INSIGHT[name], values, `insight ${name}`);
  }
}
