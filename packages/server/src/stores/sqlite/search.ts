/** Searches: by id, in pages. A filter that no index serves looks at a bounded number of rows per page. */
import type { DatabaseSync } from "node:sqlite";
import { TAG, type Tags } from "@resonate-ts/protocol";
import { project, projectTask } from "../../core/project.ts";
import type { Search } from "../../core/step.ts";
import type { Found } from "../store.ts";
import { bytesOf, hashOf, promiseOf, type Row, scheduleOf, taskOf } from "./rows.ts";
import { PROMISE_COLUMNS, TASK_COLUMNS } from "./statements.ts";

/** Most rows one page looks at. What it has not reached is on the next page. */
const SCAN_MAX = 20_000;

type Rows = Iterable<Row>;

interface Conditions {
  readonly at: number;
  /** About how large a page may be. */
  readonly bytesMax?: number | undefined;
}

export function search(db: DatabaseSync, wanted: Search, { at, bytesMax }: Conditions): Found {
  const { after = "" } = wanted;
  const limit = { limit: wanted.limit, bytesMax: bytesMax ?? Number.POSITIVE_INFINITY };
  switch (wanted.kind) {
    case "promises": {
      const { state, tags, idPrefix = "" } = wanted;
      // The rows from `idPrefix` on that start with it follow each other.
      const rows = whileStarting(idPrefix, promiseRows(db, tags, { after, from: idPrefix }));
      const page = collect(rows, promiseOf, limit, (promise) => {
        const inState = state === undefined || project(promise, at).state === state;
        return inState && hasTags(promise.tags, tags);
      });
      return { kind: "promises", ...page };
    }
    case "tasks": {
      const { state } = wanted;
      const taskAsOfNow = (row: Row) => projectTask(taskOf(row), project(promiseOf(row), at));
      const page = collect(taskRows(db, after), taskAsOfNow, limit, (task) => {
        return state === undefined || task.state === state;
      });
      return { kind: "tasks", ...page };
    }
    case "schedules": {
      const { tags } = wanted;
      const page = collect(scheduleRows(db, after), scheduleOf, limit, (schedule) => {
        return hasTags(schedule.promiseTags, tags);
      });
      return { kind: "schedules", ...page };
    }
  }
}

/** The tags that are indexed, those that say most first, and the columns that hold their hashes. */
const INDEXES = [
  [TAG.caller, "caller"],
  [TAG.branch, "branch"],
  [TAG.origin, "origin"],
] as const;

/** Where to begin: past `after`, and not before `from`. */
interface Start {
  readonly after: string;
  readonly from: string;
}

function promiseRows(db: DatabaseSync, tags: Tags, start: Start): Rows {
  for (const [name, column] of INDEXES) {
    const tag = tags[name];
    if (tag !== undefined) return taggedRows(db, column, { tag, ...start });
  }
  return db
    .prepare(`SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.id > ? AND p.id >= ? ORDER BY p.id`)
    .iterate(start.after, start.from);
}

function* whileStarting(prefix: string, rows: Rows): Rows {
  for (const row of rows) {
    if (!String(row["id"]).startsWith(prefix)) return;
    yield row;
  }
}

/** Those whose column holds the hash of `tag`, and the promise of that id, whose tag is its own id. */
function taggedRows(
  db: DatabaseSync,
  column: (typeof INDEXES)[number][1],
  { tag, after, from }: Start & { readonly tag: string },
): Rows {
  const others = `SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.${column} = ?1 AND p.id > ?3 AND p.id >= ?4`;
  const own = `SELECT ${PROMISE_COLUMNS} FROM promises p WHERE p.id = ?2 AND p.id > ?3 AND p.id >= ?4`;
  return db
    .prepare(`${others} UNION ALL ${own} ORDER BY id`)
    .iterate(hashOf(tag), tag, after, from);
}

function taskRows(db: DatabaseSync, after: string): Rows {
  return db
    .prepare(
      `SELECT ${PROMISE_COLUMNS}, ${TASK_COLUMNS} FROM promises p JOIN tasks t ON t.seq = p.seq
       WHERE p.id > ? ORDER BY p.id`,
    )
    .iterate(after);
}

function scheduleRows(db: DatabaseSync, after: string): Rows {
  return db.prepare("SELECT id, record FROM schedules WHERE id > ? ORDER BY id").iterate(after);
}

/** The first wanted records within the limits, and the id to go on after when rows are left. */
function collect<R extends { readonly id: string }>(
  rows: Rows,
  recordOf: (row: Row) => R,
  { limit, bytesMax }: { readonly limit: number; readonly bytesMax: number },
  wanted: (record: R) => boolean,
): { readonly records: readonly R[]; readonly next?: string } {
  const records: R[] = [];
  let last: string | undefined;
  let scanned = 0;
  let bytes = 0;
  for (const row of rows) {
    const full = records.length === limit || scanned === SCAN_MAX || bytes >= bytesMax;
    if (last !== undefined && full) return { records, next: last };
    const record = recordOf(row);
    if (wanted(record)) {
      records.push(record);
      bytes += bytesOf(row);
    }
    last = record.id;
    scanned++;
  }
  return { records };
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([name, value]) => tags[name] === value);
}
