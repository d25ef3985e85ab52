import type { StoredPromise, StoredTask } from "../../core/records.ts";
import { type Keys, type ListenerKey, OBLIGATIONS_MAX } from "../../core/step.ts";
import { readPromise, scheduleOf, taskOf } from "../rows.ts";
import type { Loaded, LoadedAwaits, LoadedObligations } from "../store.ts";
import type { Statements } from "./statements.ts";
import { loadTree } from "./trees.ts";

/** What is known of rows in one transaction. */
export interface KnownRows {
  /** Row numbers of promises. */
  readonly seqs: Map<string, number>;
  /** Checksums of what is fixed of them. */
  readonly bornCrcs: Map<string, number>;
}

/** Reads the named records, and notes what it learns of the rows of the promises among them in `known`. */
export function load(keys: Keys, statements: Statements, { seqs, bornCrcs }: KnownRows): Loaded {
  const promises: StoredPromise[] = [];
  const tasks: StoredTask[] = [];
  for (const id of keys.promises ?? []) {
    const row = statements.byId.get(id);
    if (!row) continue;
    const { promise, bornCrc } = readPromise(row);
    seqs.set(id, Number(row["seq"]));
    bornCrcs.set(id, bornCrc);
    promises.push(promise);
    if (row["task_state"] !== null) tasks.push(taskOf(row));
  }
  const seqOf = (id: string) => seqs.get(id) ?? seqIn(statements, id, seqs);
  return {
    promises,
    tasks,
    obligations: (keys.obligations ?? []).map((id) =>
      obligationsOf(id, seqOf(id), statements, seqs),
    ),
    listeners: (keys.listeners ?? []).flatMap((key) =>
      listenerOf(key, seqOf(key.awaited), statements),
    ),
    awaits: (keys.awaits ?? []).map((id) => awaitsOf(id, seqOf(id), statements)),
    schedules: (keys.schedules ?? []).flatMap((id) => {
      const row = statements.schedule.get(id);
      return row ? [scheduleOf(row)] : [];
    }),
    trees: (keys.trees ?? []).map((origin) => loadTree(origin, statements, seqs)),
  };
}

function seqIn(statements: Statements, id: string, seqs: Map<string, number>): number | undefined {
  const row = statements.byId.get(id);
  if (!row) return undefined;
  const seq = Number(row["seq"]);
  seqs.set(id, seq);
  return seq;
}

function obligationsOf(
  id: string,
  seq: number | undefined,
  statements: Statements,
  seqs: Map<string, number>,
): LoadedObligations {
  if (seq === undefined) return { id, callbacks: [], listeners: [], more: false };
  const awaiters = statements.callbacksOf.all(seq, OBLIGATIONS_MAX + 1);
  const addresses = statements.listenersOf.all(seq, OBLIGATIONS_MAX + 1);
  for (const row of awaiters) seqs.set(String(row["id"]), Number(row["seq"]));
  return {
    id,
    callbacks: awaiters.slice(0, OBLIGATIONS_MAX).map((row) => String(row["id"])),
    listeners: addresses.slice(0, OBLIGATIONS_MAX).map((row) => String(row["address"])),
    more: Math.max(awaiters.length, addresses.length) > OBLIGATIONS_MAX,
  };
}

function awaitsOf(id: string, seq: number | undefined, statements: Statements): LoadedAwaits {
  const rows = seq === undefined ? [] : statements.awaitsOf.all(seq, OBLIGATIONS_MAX + 1);
  const awaited = rows.slice(0, OBLIGATIONS_MAX).map((row) => String(row["id"]));
  return { id, awaited, more: rows.length > OBLIGATIONS_MAX };
}

function listenerOf(key: ListenerKey, seq: number | undefined, statements: Statements) {
  const row = seq === undefined ? undefined : statements.listener.get(seq, key.address);
  if (!row) return [];
  const notifyAt = row["notify_at"];
  return [{ ...key, ...(notifyAt !== null && { notifyAt: Number(notifyAt) }) }];
}
