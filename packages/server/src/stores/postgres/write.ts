/**
 * Changes → one statement. What is new and what is changed go in as arrays, one per column, so that a batch of any size
 * is one journey to the database.
 */
import { parseAddress, TAG } from "@resonate-ts/protocol";
import type { Change, Listener, StoredPromise, StoredTask } from "../../core/records.ts";
import { promiseRow, settlementCells, taskCells } from "../rows.ts";

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

/** What a transaction knows of rows. */
export interface Rows {
  readonly promises: Map<string, KnownRow>;
  /** Row numbers of other promises. */
  readonly seqs: Map<string, number>;
  /** Ids of the schedules that are stored. */
  readonly schedules: Set<string>;
  /** A number for a new row. */
  fresh(): number;
}

/** One statement with its parameters. `name` is the same for the same text. */
export interface Writing {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** How many rows it inserts if nobody else came first. It answers with the number that it did, as `inserted`, and `number`. */
  readonly inserts: number;
}

/** Takes over changes into `rows`, and says what to write; nothing when there is nothing. */
export function writing(changes: readonly Change[], rows: Rows): Writing | undefined {
  const gathered = gather(changes, rows);
  const parts = PARTS.filter(({ tuples }) => tuples(gathered).length > 0);
  if (parts.length === 0) return undefined;
  const values: unknown[] = [];
  const ctes: string[] = [];
  let inserts = 0;
  for (const part of parts) {
    const tuples = part.tuples(gathered);
    const places = part.types.map((type, i) => {
      values.push(tuples.map((tuple) => tuple[i]));
      return `$${values.length}::${type}[]`;
    });
    ctes.push(`${part.name} AS (${part.sql(`unnest(${places.join(", ")})`)} RETURNING 1)`);
    if (part.counted) inserts += tuples.length;
  }
  const counted = parts.filter((part) => part.counted);
  const counts = counted.map(({ name }) => `(SELECT count(*) FROM ${name})`);
  return {
    name: `write ${parts.map(({ name }) => name).join(" ")}`,
    text: `WITH ${ctes.join(", ")} SELECT ${counts.join(" + ") || "0"} AS inserted, pg_current_xact_id()::text AS number`,
    values,
    inserts,
  };
}

type Tuple = readonly (string | number | null)[];

interface Gathered {
  readonly created: Set<KnownRow>;
  readonly changed: Set<KnownRow>;
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

function gather(changes: readonly Change[], rows: Rows): Gathered {
  const gathered: Gathered = {
    created: new Set(),
    changed: new Set(),
    callbacks: new Map(),
    resumes: new Map(),
    cleared: new Set(),
    listeners: new Map(),
    newSchedules: new Map(),
    schedules: new Map(),
    deletedSchedules: new Set(),
  };
  for (const change of changes) {
    if ("put" in change) gatherPut(change, gathered, rows);
    else gatherDelete(change, gathered, rows);
  }
  for (const row of gathered.created) gathered.changed.delete(row);
  for (const id of gathered.newSchedules.keys()) rows.schedules.add(id);
  for (const id of gathered.deletedSchedules) rows.schedules.delete(id);
  return gathered;
}

function gatherPut(
  change: Extract<Change, { put: unknown }>,
  gathered: Gathered,
  rows: Rows,
): void {
  switch (change.put) {
    case "promise":
      putPromise(change.record, gathered, rows);
      return;
    case "task": {
      const row = rows.promises.get(change.record.id);
      if (!row) throw notLoaded(change.record.id);
      row.task = change.record;
      gathered.changed.add(row);
      return;
    }
    case "callback": {
      const pair = pairOf(change.record, rows);
      gathered.callbacks.set(pair.join(" "), { pair, put: true });
      return;
    }
    case "resume": {
      const [awaited, awaiter] = pairOf(change.record, rows);
      gathered.resumes.set(`${awaiter} ${awaited}`, [awaiter, awaited]);
      return;
    }
    case "listener":
      putListener(change.record, gathered, rows);
      return;
    case "schedule": {
      const { id, nextRunAt } = change.record;
      const into = rows.schedules.has(id) ? gathered.schedules : gathered.newSchedules;
      into.set(id, [id, nextRunAt, JSON.stringify(change.record)]);
      gathered.deletedSchedules.delete(id);
      return;
    }
  }
}

function gatherDelete(
  change: Extract<Change, { delete: unknown }>,
  gathered: Gathered,
  rows: Rows,
): void {
  switch (change.delete) {
    case "callback": {
      const pair = pairOf(change.record, rows);
      gathered.callbacks.set(pair.join(" "), { pair, put: false });
      return;
    }
    case "resumes": {
      const awaiter = seqOf(change.awaiter, rows);
      gathered.cleared.add(awaiter);
      for (const [key, pair] of gathered.resumes) {
        if (pair[0] === awaiter) gathered.resumes.delete(key);
      }
      return;
    }
    case "listener": {
      const { awaited, address } = change.record;
      const tuple = [seqOf(awaited, rows), address, null];
      gathered.listeners.set(`${awaited}\0${address}`, { tuple, put: false });
      return;
    }
    case "schedule":
      gathered.schedules.delete(change.id);
      gathered.newSchedules.delete(change.id);
      gathered.deletedSchedules.add(change.id);
      return;
  }
}

function putPromise(promise: StoredPromise, { created, changed }: Gathered, rows: Rows): void {
  const known = rows.promises.get(promise.id);
  if (known) {
    known.promise = promise;
    changed.add(known);
    return;
  }
  const { cells, bornCrc } = promiseRow(promise);
  // First comes what is fixed, then what settling changes (`settlementCells`).
  const fixed = cells.slice(0, FIXED.length);
  const row: KnownRow = { seq: rows.fresh(), bornCrc, fixed, promise, task: undefined };
  rows.promises.set(promise.id, row);
  created.add(row);
}

function putListener(
  { awaited, address, notifyAt }: Listener,
  gathered: Gathered,
  rows: Rows,
): void {
  const tuple = [seqOf(awaited, rows), address, notifyAt ?? null];
  gathered.listeners.set(`${awaited}\0${address}`, { tuple, put: true });
}

/** The cells of a row that change. */
function mutableCells({ promise, task, bornCrc }: KnownRow): Tuple {
  return [
    ...settlementCells(promise, bornCrc),
    ...(task ? taskCells(task) : NO_TASK),
    task?.state === "pending" ? groupOf(promise) : null,
  ];
}

const NO_TASK: Tuple = Array.from({ length: 8 }, () => null);

function newCells(row: KnownRow): Tuple {
  return [row.seq, ...(row.fixed ?? []), ...mutableCells(row)];
}

function groupOf({ tags }: StoredPromise): string | null {
  const target = tags[TAG.target];
  const address = target === undefined ? undefined : parseAddress(target);
  return address?.kind === "poll" ? address.group : null;
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

const FIXED = [
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

const PARTS: readonly Part[] = [
  {
    name: "created",
    types: ["bigint", ...FIXED.map(typeOf), ...MUTABLE.map(typeOf)],
    counted: true,
    tuples: ({ created }) => [...created].map(newCells),
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
    types: ["bigint", "text", "bigint"],
    tuples: ({ listeners }) => values(listeners).flatMap(({ tuple, put }) => (put ? [tuple] : [])),
    sql: (source) =>
      `INSERT INTO resonate.listeners (awaited, address, notify_at) SELECT * FROM ${source}
       ON CONFLICT (awaited, address) DO UPDATE SET notify_at = excluded.notify_at`,
  },
  {
    name: "told",
    types: ["bigint", "text", "bigint"],
    tuples: ({ listeners }) => values(listeners).flatMap(({ tuple, put }) => (put ? [] : [tuple])),
    sql: (source) =>
      `DELETE FROM resonate.listeners t USING ${source} AS d (awaited, address, notify_at)
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

function pairOf(
  { awaited, awaiter }: { readonly awaited: string; readonly awaiter: string },
  rows: Rows,
): readonly [number, number] {
  return [seqOf(awaited, rows), seqOf(awaiter, rows)];
}

function seqOf(id: string, rows: Rows): number {
  const seq = rows.promises.get(id)?.seq ?? rows.seqs.get(id);
  if (seq === undefined) throw notLoaded(id);
  return seq;
}

function notLoaded(id: string): Error {
  return new Error(`a change refers to promise '${id}', which was not loaded`);
}
