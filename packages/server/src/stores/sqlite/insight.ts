/** What those who look on are shown of a file. */
import { statSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { PARAM_BYTES_MAX, PARAM_HEAD_LENGTH } from "../insight.ts";
import { type Cell, type Question, RowInsight } from "../row-insight.ts";
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
} as const satisfies Record<Question, string>;

/** Runs one question when no transaction is under way: what is not committed is shown to nobody. */
type Ask = <T>(question: () => T) => Promise<T>;

export function sqliteInsight(db: DatabaseSync, path: string, ask: Ask): RowInsight {
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return new RowInsight({
    // Prepared anew each time: somebody looks now and then, and preparing takes some microseconds.
    ask: (name, ...cells) => ask(() => db.prepare(INSIGHT[name]).all(...cells.map(inputOf))),
    bytes: async () => sizeOf(path) + sizeOf(`${path}-wal`),
  });
}

function inputOf(cell: Cell): SQLInputValue {
  return typeof cell === "object" ? JSON.stringify(cell) : cell;
}
