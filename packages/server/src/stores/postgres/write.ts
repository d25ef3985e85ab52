/**
 * Changes → one statement. What is new and what is changed go in as arrays, one per column, so that a batch of any size
 * is one journey to the database.
 */
import type { Change, Listener, StoredPromise } from "../../core/records.ts";
import { promiseRow } from "../rows.ts";
import { FIXED, type Gathered, groupOf, type KnownRow, PARTS } from "./parts.ts";
import { TRANSACTION } from "./statements.ts";

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
  /** How many rows it inserts if nobody else came first. It answers with the number that it did, as `inserted`, and names the transaction. */
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
    name: `write ${nameOf(parts)}`,
    text: `WITH ${ctes.join(", ")} SELECT ${counts.join(" + ") || "0"} AS inserted, ${TRANSACTION}`,
    values,
    inserts,
  };
}

/** Short, because PostgreSQL's names are: a digit for each part that is there. */
function nameOf(parts: readonly (typeof PARTS)[number][]): string {
  return PARTS.map((part) => (parts.includes(part) ? 1 : 0)).join("");
}

function gather(changes: readonly Change[], rows: Rows): Gathered {
  const gathered: Gathered = {
    created: new Set(),
    changed: new Set(),
    deleted: new Set(),
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
    case "promise":
      deletePromise(change.id, gathered, rows);
      return;
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
      const tuple = [seqOf(awaited, rows), address];
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

function deletePromise(id: string, { deleted, changed }: Gathered, rows: Rows): void {
  const known = rows.promises.get(id);
  deleted.add(seqOf(id, rows));
  if (known) changed.delete(known);
  rows.promises.delete(id);
  rows.seqs.delete(id);
}

function putListener(
  { awaited, address, notifyAt }: Listener,
  gathered: Gathered,
  rows: Rows,
): void {
  const tuple = [seqOf(awaited, rows), address, notifyAt ?? null, groupOf(address)];
  gathered.listeners.set(`${awaited}\0${address}`, { tuple, put: true });
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
