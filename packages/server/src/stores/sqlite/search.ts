/** What searches look at, in SQLite: each listing is an index range, read as far as it is asked for. */
import type { DatabaseSync } from "node:sqlite";
import { TAG } from "@resonate-ts/protocol";
import { hashOf, promiseOf, type Row, scheduleOf, taskOf } from "../rows.ts";
import type { IndexedTag, Listing } from "../search.ts";
import { PROMISE_COLUMNS, TASK_COLUMNS } from "./statements.ts";

/** The columns that hold the hashes of tags. */
const COLUMNS: Readonly<Record<IndexedTag, string>> = {
  [TAG.caller]: "caller",
  [TAG.branch]: "branch",
  [TAG.origin]: "origin",
};

export function listing(db: DatabaseSync): Listing {
  const rows = (sql: string, ...cells: (string | number)[]): IteratorObject<Row> =>
    Iterator.from(db.prepare(sql).iterate(...cells));
  return {
    promises: ({ after, from }) =>
      rows(
        `SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.id > ? AND p.id >= ? ORDER BY p.id`,
        after,
        from,
      ).map(promiseOf),
    // Those whose column holds the hash, and the promise of that id, whose tag is its own id.
    tagged: (name, text, { after, from }) =>
      rows(
        `SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.${COLUMNS[name]} = ?1 AND p.id > ?3 AND p.id >= ?4
         UNION ALL SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.id = ?2 AND p.id > ?3 AND p.id >= ?4
         ORDER BY id`,
        hashOf(text),
        text,
        after,
        from,
      ).map(promiseOf),
    tasks: (after) =>
      rows(
        `SELECT ${PROMISE_COLUMNS}, ${TASK_COLUMNS} FROM promises p JOIN tasks t ON t.seq = p.seq
         WHERE p.id > ? ORDER BY p.id`,
        after,
      ).map((row) => ({ task: taskOf(row), promise: promiseOf(row) })),
    schedules: (after) =>
      rows("SELECT id, record FROM schedules WHERE id > ? ORDER BY id", after).map(scheduleOf),
  };
}
