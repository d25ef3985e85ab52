/** What searches look at, in PostgreSQL: each listing is an index range, read page by page as far as it is asked for. */
import { TAG } from "@resonate-ts/protocol";
import { hashOf, promiseOf, type Row, scheduleOf, taskOf } from "../rows.ts";
import type { IndexedTag, Listing, Start } from "../search.ts";
import { upTo } from "./statements.ts";
import type { Query } from "./transaction.ts";

/** Rows read at a time, at most, and about how many bytes of them. */
const PAGE = 1_000;
const PAGE_BYTES = 4 * 1024 * 1024;

/** The columns that hold the hashes of tags. */
const TAG_COLUMNS: Readonly<Record<IndexedTag, string>> = {
  [TAG.caller]: "caller",
  [TAG.branch]: "branch",
  [TAG.origin]: "origin",
};

export function listing(query: Query): Listing {
  const promises = (name: string, where: string, ...values: readonly Cell[]) => {
    const from = `FROM resonate.promises p WHERE p.id > $2 AND p.id >= $3 ${where}`;
    const text = upTo(from, `${PAGE}`);
    return ({ after, from: first }: Start) =>
      pages(after, (last) => query(text, [PAGE_BYTES, last, first, ...values], name));
  };
  const tasks = promises("list tasks", "AND p.task_state IS NOT NULL");
  return {
    promises: (start) => mapped(promises("list promises", "")(start), promiseOf),
    // Those whose column holds the hash, and the promise of that id, whose tag is its own id.
    tagged: (name, text, start) => {
      const where = `AND (p.${TAG_COLUMNS[name]} = $4 OR p.id = $5)`;
      const listed = promises(`list by ${name}`, where, hashOf(text), text);
      return mapped(listed(start), promiseOf);
    },
    tasks: (after) =>
      mapped(tasks({ after, from: "" }), (row) => ({ task: taskOf(row), promise: promiseOf(row) })),
    schedules: (after) =>
      mapped(
        pages(after, (last) => query(SCHEDULES, [last], "list schedules")),
        scheduleOf,
      ),
  };
}

type Cell = string | number;

const SCHEDULES = `SELECT id, record FROM resonate.schedules WHERE id > $1 ORDER BY id LIMIT ${PAGE}`;

/** Row after row, until a page is neither full nor cut short. */
async function* pages(
  after: string,
  read: (after: string) => Promise<readonly Row[]>,
): AsyncGenerator<Row, void> {
  for (let from = after; ; ) {
    const rows = await read(from);
    yield* rows;
    const last = rows.at(-1);
    if (!last || (rows.length < PAGE && Number(last["bytes"] ?? 0) < PAGE_BYTES)) return;
    from = String(last["id"]);
  }
}

async function* mapped<T>(rows: AsyncIterable<Row>, of: (row: Row) => T): AsyncGenerator<T, void> {
  for await (const row of rows) yield of(row);
}
