/** A store's contents, read through its port, as the properties look at them. */
import {
  type Entry,
  nothing,
  type ScheduleEntry,
  type Snapshot,
} from "../../src/core/invariants.ts";
import type { Search } from "../../src/core/step.ts";
import type { Found, Store, Transaction } from "../../src/stores/store.ts";

export interface Named {
  readonly ids: readonly string[];
  readonly addresses: readonly string[];
  readonly scheduleIds: readonly string[];
}

/** An entry with the instants at which its notices are sent again. */
export interface StoredEntry extends Entry {
  readonly noticesAt: readonly string[];
}

export interface StoredWorld extends Snapshot {
  entry(id: string): StoredEntry | undefined;
}

/** What is stored under the given names. */
export function readNamed(store: Store, named: Named, at: number): Promise<StoredWorld> {
  return store.transaction((tx) => read(tx, named, at), at);
}

/** All that is stored. `addresses`: of every listener there may be. */
export function readAll(
  store: Store,
  addresses: readonly string[],
  at: number,
): Promise<StoredWorld> {
  return store.transaction(async (tx) => {
    const promises = await all(tx, { kind: "promises", tags: {}, limit: 1_000 }, at);
    const tasks = await all(tx, { kind: "tasks", limit: 1_000 }, at);
    const schedules = await all(tx, { kind: "schedules", tags: {}, limit: 1_000 }, at);
    const ids = [...new Set([...promises, ...tasks])];
    const world = await read(tx, { ids, addresses, scheduleIds: [...new Set(schedules)] }, at);
    const times = (list: readonly string[]) => {
      const groups = Map.groupBy(list, (id) => id);
      return (id: string) => groups.get(id)?.length ?? 0;
    };
    const timesOf = { promise: times(promises), task: times(tasks), schedule: times(schedules) };
    return {
      ...world,
      entry: (id) => {
        const entry = world.entry(id);
        const copies = { promises: timesOf.promise(id), tasks: timesOf.task(id) };
        return entry && { ...entry, copies };
      },
      schedule: (id) => {
        const schedule = world.schedule(id);
        return schedule && { ...schedule, copies: timesOf.schedule(id) };
      },
    };
  }, at);
}

async function read(tx: Transaction, named: Named, at: number): Promise<StoredWorld> {
  const { ids, addresses, scheduleIds } = named;
  const loaded = await tx.load({
    promises: ids,
    obligations: ids,
    listeners: ids.flatMap((awaited) => addresses.map((address) => ({ awaited, address }))),
    schedules: scheduleIds,
  });
  const awaits = new Map<string, string[]>();
  for (const { id, callbacks } of loaded.obligations) {
    for (const awaiter of callbacks) awaits.set(awaiter, [...(awaits.get(awaiter) ?? []), id]);
  }
  const promisesOf = Map.groupBy(loaded.promises, ({ id }) => id);
  const tasksOf = Map.groupBy(loaded.tasks, ({ id }) => id);
  const obligationsOf = Map.groupBy(loaded.obligations, ({ id }) => id);
  const listenersOf = Map.groupBy(loaded.listeners, ({ awaited }) => awaited);
  const entries = new Map<string, StoredEntry>();
  for (const id of ids) {
    const promises = promisesOf.get(id) ?? [];
    const tasks = tasksOf.get(id) ?? [];
    const obligations = obligationsOf.get(id) ?? [];
    const told = (listenersOf.get(id) ?? []).filter(({ notifyAt }) => notifyAt !== undefined);
    const [promise] = promises;
    const [task] = tasks;
    entries.set(id, {
      ...nothing(id),
      ...(promise && { promise }),
      ...(task && { task }),
      copies: { promises: promises.length, tasks: tasks.length },
      callbacks: obligations.flatMap(({ callbacks }) => callbacks),
      awaits: awaits.get(id) ?? [],
      listeners: obligations.flatMap(({ listeners }) => listeners),
      resumedBy: promise ? (await tx.resumed(id)).map((resumed) => resumed.id) : [],
      unblocks: told.map(({ address }) => ({ address })),
      noticesAt: told.map(({ address, notifyAt }) => `${address} at ${notifyAt}`),
    });
  }
  const schedules = new Map<string, ScheduleEntry>();
  for (const record of loaded.schedules) schedules.set(record.id, { record, copies: 1 });
  return {
    at,
    ids,
    scheduleIds: [...schedules.keys()],
    entry: (id) => entries.get(id),
    schedule: (id) => schedules.get(id),
  };
}

/** The ids of every page. */
async function all(tx: Transaction, search: Search, at: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const found: Found = await tx.search({ ...search, ...(after ? { after } : {}) }, at);
    ids.push(...found.records.map(({ id }) => id));
    after = found.next;
  }
  return ids;
}
