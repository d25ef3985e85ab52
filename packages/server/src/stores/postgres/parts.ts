/** What changes become in PostgreSQL: a part of a statement for each table and kind, its rows as arrays, one per column. */
import { parseAddress, TAG } from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "../../core/records.ts";
import { settlementCells, taskCells } from "../rows.ts";

/** A promise's row as this transaction knows it. */
export interface KnownRow {
  readonly seq: number;
  /** The checksum of what is fixed of it. */
  readonly bornCrc: number;
  /** The cells of what is fixed of it, while it is new. */
  readonly fixed?: Tuple;
  promise: StoredPromise;
  task: StoredTask | undefined;
}

export type Tuple = readonly (string | number | null)[];

/** What one statement is to write. */
export interface Gathered {
  readonly created: Set<KnownRow>;
  readonly changed: Set<KnownRow>;
  /** Row numbers of promises. */
  readonly deleted: Set<number>;
  /** Of awaited and awaiter. */
  readonly callbacks: Map<string, { readonly pair: Tuple; readonly put: boolean }>;
  readonly resumes: Map<string, Tuple>;
  /** Row numbers of awaiters whose resumes are shown. */
  readonly cleared: Set<number>;
  readonly listeners: Map<string, { readonly tuple: Tuple; readonly put: boolean }>;
  readonly newSchedules: Map<string, Tuple>;
  readonly schedules: Map<string, Tuple>;
  readonly deletedSchedules: Set<string>;
}

/** The cells of a row that change. */
function mutableCells({ promise, task, bornCrc }: KnownRow): Tuple {
  return [
    ...settlementCells(promise, bornCrc),
    ...(task ? taskCells(task) : NO_TASK),
    task?.state === "pending" ? groupOf(promise.tags[TAG.target]) : null,
  ];
}

const NO_TASK: Tuple = Array.from({ length: 8 }, () => null);

function newCells(row: KnownRow): Tuple {
  return [row.seq, ...(row.fixed ?? []), ...mutableCells(row)];
}

/** The group of workers that an address names. */
export function groupOf(address: string | undefined): string | null {
  const parsed = address === undefined ? undefined : parseAddress(address);
  return parsed?.kind === "poll" ? parsed.group : null;
}

function byId({ promise: { id: one } }: KnownRow, { promise: { id: other } }: KnownRow): number {
  return one < other ? -1 : 1;
}

const MUTABLE = [
  ["state", "smallint"],
  ["settled_at", "bigint"],
  ["due_at", "bigint"],
  ["value", "text"],
  ["crc", "bigint"],
  ["task_state", "smallint"],
  ["task_version", "bigint"],
  ["task_resumes", "integer"],
  ["task_ttl", "bigint"],
  ["task_pid", "text"],
  ["task_due_at", "bigint"],
  ["task_failures", "integer"],
  ["task_cause", "text"],
  ["task_group", "text"],
] as const;

/** What is fixed of a row, after its number: the first cells of `promiseRow`. */
export const FIXED = [
  ["id", "text"],
  ["timeout_at", "bigint"],
  ["created_at", "bigint"],
  ["tags", "text"],
  ["param", "text"],
  ["caller", "bigint"],
  ["branch", "bigint"],
  ["origin", "bigint"],
] as const;

interface Part {
  readonly name: string;
  readonly types: readonly string[];
  /** Whether each of its rows must be inserted: a row that is there already means that another writer came first. */
  readonly counted?: boolean;
  tuples(gathered: Gathered): readonly Tuple[];
  sql(source: string): string;
}

const nameOf = ([name]: readonly [string, string]) => name;
const typeOf = ([, type]: readonly [string, string]) => type;
const mutableNames = MUTABLE.map(nameOf);

/** What goes with a promise. What it awaited in other trees stays, and leads nowhere: its row number is not given again. */
const DELETIONS = [
  ["deleted", "promises", "seq"],
  ["deleted_callbacks", "callbacks", "awaited"],
  ["deleted_resumes", "resumes", "awaiter"],
  ["deleted_listeners", "listeners", "awaited"],
] as const;

/** In the order in which they are written down; they all see the tables as they were before. */
export const PARTS: readonly Part[] = [
  {
    name: "created",
    types: ["bigint", ...FIXED.map(typeOf), ...MUTABLE.map(typeOf)],
    counted: true,
    // In the order of ids: who inserts one that another is inserting waits for it, and two must not wait for each other.
    tuples: ({ created }) => [...created].sort(byId).map(newCells),
    sql: (source) =>
      `INSERT INTO resonate.promises (seq, ${[...FIXED.map(nameOf), ...mutableNames].join(", ")})
       SELECT * FROM ${source} ON CONFLICT (id) DO NOTHING`,
  },
  {
    name: "changed",
    types: ["bigint", ...MUTABLE.map(typeOf)],
    tuples: ({ changed }) => [...changed].map((row) => [row.seq, ...mutableCells(row)]),
    sql: (source) =>
      `UPDATE resonate.promises p SET ${mutableNames.map((name) => `${name} = c.${name}`).join(", ")}
       FROM ${source} AS c (seq, ${mutableNames.join(", ")}) WHERE p.seq = c.seq`,
  },
  ...DELETIONS.map(
    ([name, table, column]): Part => ({
      name,
      types: ["bigint"],
      tuples: ({ deleted }) => [...deleted].map((seq) => [seq]),
      sql: (source) =>
        `DELETE FROM resonate.${table} t USING ${source} AS d (seq) WHERE t.${column} = d.seq`,
    }),
  ),
  {
    name: "callbacks",
    types: ["bigint", "bigint"],
    tuples: ({ callbacks }) => values(callbacks).flatMap(({ pair, put }) => (put ? [pair] : [])),
    sql: (source) =>
      `INSERT INTO resonate.callbacks (awaited, awaiter) SELECT * FROM ${source} ON CONFLICT DO NOTHING`,
  },
  {
    name: "consumed",
    types: ["bigint", "bigint"],
    tuples: ({ callbacks }) => values(callbacks).flatMap(({ pair, put }) => (put ? [] : [pair])),
    sql: (source) =>
      `DELETE FROM resonate.callbacks t USING ${source} AS d (awaited, awaiter)
       WHERE t.awaited = d.awaited AND t.awaiter = d.awaiter`,
  },
  {
    name: "cleared",
    types: ["bigint"],
    tuples: ({ cleared }) => [...cleared].map((awaiter) => [awaiter]),
    sql: (source) =>
      `DELETE FROM resonate.resumes t USING ${source} AS d (awaiter) WHERE t.awaiter = d.awaiter`,
  },
  {
    // What is cleared in the same statement is not put again: a promise settles once, and resumes an awaiter once.
    name: "resumes",
    types: ["bigint", "bigint"],
    tuples: ({ resumes }) => values(resumes),
    sql: (source) =>
      `INSERT INTO resonate.resumes (awaiter, awaited) SELECT * FROM ${source} ON CONFLICT DO NOTHING`,
  },
  {
    name: "listeners",
    types: ["bigint", "text", "bigint", "text"],
    tuples: ({ listeners }) => values(listeners).flatMap(({ tuple, put }) => (put ? [tuple] : [])),
    sql: (source) =>
      `INSERT INTO resonate.listeners (awaited, address, notify_at, listener_group) SELECT * FROM ${source}
       ON CONFLICT (awaited, address) DO UPDATE SET notify_at = excluded.notify_at`,
  },
  {
    name: "told",
    types: ["bigint", "text"],
    tuples: ({ listeners }) => values(listeners).flatMap(({ tuple, put }) => (put ? [] : [tuple])),
    sql: (source) =>
      `DELETE FROM resonate.listeners t USING ${source} AS d (awaited, address)
       WHERE t.awaited = d.awaited AND t.address = d.address`,
  },
  {
    name: "new_schedules",
    types: ["text", "bigint", "text"],
    counted: true,
    tuples: ({ newSchedules }) => values(newSchedules),
    sql: (source) =>
      `INSERT INTO resonate.schedules (id, next_run_at, record) SELECT * FROM ${source} ON CONFLICT DO NOTHING`,
  },
  {
    name: "schedules",
    types: ["text", "bigint", "text"],
    tuples: ({ schedules }) => values(schedules),
    sql: (source) =>
      `UPDATE resonate.schedules s SET next_run_at = c.next_run_at, record = c.record
       FROM ${source} AS c (id, next_run_at, record) WHERE s.id = c.id`,
  },
  {
    name: "deleted_schedules",
    types: ["text"],
    tuples: ({ deletedSchedules }) => [...deletedSchedules].map((id) => [id]),
    sql: (source) => `DELETE FROM resonate.schedules s USING ${source} AS d (id) WHERE s.id = d.id`,
  },
];

function values<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map.values()];
}
