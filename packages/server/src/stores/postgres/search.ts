/** What searches look at, in PostgreSQL: each listing is an index range, read page by page as far as it is asked for. */
import { TAG } from "@resonate-ts/protocol";
import { hashOf, promiseOf, type Row, scheduleOf, taskOf } from "../rows.ts";
import type { IndexedTag, Listing } from "../search.ts";
import { COLUMNS } from "./statements.ts";
import type { Query } from "./transaction.ts";

/** Rows read at a time. */
const PAGE = 1_000;

/** The columns that hold the hashes of tags. */
const TAG_COLUMNS: Readonly<Record<IndexedTag, string>> = {
  [TAG.caller]: "caller",
  [TAG.branch]: "branch",
  [TAG.origin]: "origin",
};

export function listing(query: Query): Listing {
  const pages = (text: string, name: string, ...values: readonly unknown[]) =>
    async function* (after: string): AsyncGenerator<Row> {
      for (let last = after; ; ) {
        const rows = await query(text, [last, PAGE, ...values], name);
        yield* rows;
        if (rows.length < PAGE) return;
        last = String(rows.at(-1)?.["id"]);
      }
    };
  const from = `SELECT ${COLUMNS} FROM resonate.promises p WHERE p.id > $1`;
  return {
    promises: (after) =>
      mapped(pages(`${from} ORDER BY p.id LIMIT $2`, "list promises")(after), promiseOf),
    // Those whose column holds the hash, and the promise of that id, whose tag is its own id.
    tagged: (name, text, after) => {
      const column = TAG_COLUMNS[name];
      const sql = `${from} AND (p.${column} = $3 OR p.id = $4) ORDER BY p.id LIMIT $2`;
      return mapped(pages(sql, `list by ${column}`, hashOf(text), text)(after), promiseOf);
    },
    tasks: (after) =>
      mapped(
        pages(`${from} AND p.task_state IS NOT NULL ORDER BY p.id LIMIT $2`, "list tasks")(after),
        (row) => ({ task: taskOf(row), promise: promiseOf(row) }),
      ),
    schedules: (after) =>
      mapped(
        pages(
          "SELECT id, record FROM resonate.schedules WHERE id > $1 ORDER BY id LIMIT $2",
          "list schedules",
        )(after),
        scheduleOf,
      ),
  };
}

async function* mapped<T>(rows: AsyncIterable<Row>, of: (row: Row) => T): AsyncGenerator<T> {
  for await (const row of rows) yield of(row);
}
