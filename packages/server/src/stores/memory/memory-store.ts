/** Keeps records in this process, in maps and ordered indexes. They end with it. */
import { TAG } from "@resonate-ts/protocol";
import type {
  Change,
  Delete,
  Put,
  Snapshot,
  StoredPromise,
  StoredTask,
} from "../../core/records.ts";
import { type Keys, OBLIGATIONS_MAX, type Search, type Step } from "../../core/step.ts";
import { weigh } from "../../core/weigh.ts";
import { type IndexedTag, type Listing, type Start, search } from "../search.ts";
import type {
  Due,
  Found,
  Loaded,
  LoadedObligations,
  OldTrees,
  Pending,
  Store,
  Transaction,
} from "../store.ts";
import { MemoryInsight } from "./insight.ts";
import { byBytes, type OrderedIndex } from "./ordered-index.ts";
import { type DueKey, type Entry, Tables } from "./tables.ts";
import { findOldTrees, loadTree } from "./trees.ts";

export class MemoryStore implements Store, Transaction {
  readonly clockFloor = 0;
  readonly writable = true;
  readonly insight = new MemoryInsight((question) =>
    this.#alone(async () => question(this.#tables)),
  );
  #tables = new Tables();
  #tail: Promise<unknown> = Promise.resolve();

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#alone(() => this.#transact(work));
  }

  async load(keys: Keys): Promise<Loaded> {
    const { promises, schedules } = this.#tables;
    const entries = (keys.promises ?? []).flatMap((id) => promises.get(id) ?? []);
    return {
      promises: entries.map(({ promise }) => promise),
      tasks: entries.flatMap(({ task }) => task ?? []),
      obligations: (keys.obligations ?? []).map((id) => obligationsOf(id, this.#tables)),
      listeners: (keys.listeners ?? []).flatMap(
        ({ awaited, address }) => promises.get(awaited)?.listeners?.get(address) ?? [],
      ),
      schedules: (keys.schedules ?? []).flatMap((id) => schedules.get(id) ?? []),
      trees: (keys.trees ?? []).map((origin) => loadTree(origin, this.#tables)),
    };
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const change of changes) write(change, this.#tables);
  }

  async branch(branch: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const found = tagged(this.#tables, TAG.branch, branch, { after: "", from: "" });
    return upTo(
      bytesMax,
      found.filter(({ tags }) => tags[TAG.branch] === branch),
    );
  }

  async resumed(awaiter: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const { resumes = [] } = this.#tables.promises.get(awaiter) ?? {};
    const promises = [...resumes]
      .map(({ promise }) => promise)
      .sort((one, other) => byBytes(one.id, other.id));
    return upTo(bytesMax, promises);
  }

  async search(wanted: Search, at: number, bytesMax?: number): Promise<Found> {
    return search(listing(this.#tables), wanted, { at, bytesMax });
  }

  async due(at: number, limit: number): Promise<Due> {
    const { duePromises, dueTasks, dueListeners, dueSchedules } = this.#tables;
    const steps: Step[] = [];
    let nextAt: number | undefined;
    const take = (index: OrderedIndex<DueKey>, stepOf: (key: DueKey) => Step) => {
      for (const key of index.after()) {
        if (key.at > at) {
          nextAt = Math.min(nextAt ?? key.at, key.at);
          return;
        }
        if (steps.length >= limit) return;
        steps.push(stepOf(key));
      }
    };
    // Deadlines first, so that nothing is offered or resumed whose own time is over.
    take(duePromises, ({ id }) => promiseStep(this.#tables.entry(id)));
    take(dueTasks, ({ id }) => taskStep(this.#tables.entry(id)));
    take(dueListeners, ({ id, address }) => ({
      kind: "promise.notify",
      data: { awaited: id, address },
    }));
    take(dueSchedules, (key) => ({
      kind: "schedule.fire",
      data: { id: key.id, occurrence: key.at },
    }));
    if (steps.length >= limit) return { steps, nextAt: at };
    return { steps, ...(nextAt !== undefined && { nextAt }) };
  }

  async heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]> {
    const { held } = this.#tables;
    const sets = pid === undefined ? held.values() : [held.get(pid) ?? []].values();
    return sets
      .flatMap((entries) => [...entries].flatMap(({ task }) => task ?? []))
      .take(limit)
      .toArray();
  }

  async snapshot(): Promise<Snapshot> {
    const entries = [...this.#tables.ids.after()].map((id) => this.#tables.entry(id));
    const callbacks = entries.flatMap(({ promise, callbacks: waiting }) =>
      [...(waiting?.after() ?? [])].map((awaiter) => ({
        awaiter: awaiter.promise.id,
        awaited: promise.id,
      })),
    );
    return {
      promises: entries.map(({ promise }) => promise),
      tasks: entries.flatMap(({ task }) => task ?? []),
      callbacks: callbacks.sort(
        (one, other) => byBytes(one.awaiter, other.awaiter) || byBytes(one.awaited, other.awaited),
      ),
      listeners: entries.flatMap(({ listeners }) =>
        [...(listeners?.values() ?? [])].sort((one, other) => byBytes(one.address, other.address)),
      ),
    };
  }

  reset(): Promise<void> {
    return this.transaction(async () => {
      this.#tables = new Tables();
    });
  }

  async pending(limit: number): Promise<readonly Pending[]> {
    return this.#pending().take(limit).toArray();
  }

  async oldTrees(look: { after: number; before: number; limit: number }): Promise<OldTrees> {
    return findOldTrees(this.#tables, look);
  }

  async close(): Promise<void> {
    await this.#tail;
  }

  *#pending(): Generator<Pending, void> {
    for (const { id } of this.#tables.dueTasks.after()) {
      const { task, promise } = this.#tables.entry(id);
      if (task?.state === "pending") yield { task, promise };
    }
  }

  /** One after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      const value = await work(this);
      this.#tables.keep();
      return value;
    } catch (error) {
      this.#tables.takeBack();
      throw error;
    }
  }
}

function write(change: Change, tables: Tables): void {
  if ("put" in change) put(change, tables);
  else remove(change, tables);
}

function put(change: Put, tables: Tables): void {
  switch (change.put) {
    case "promise":
      tables.putPromise(change.record);
      break;
    case "task":
      tables.putTask(change.record);
      break;
    case "callback":
      tables.putCallback(change.record);
      break;
    case "resume":
      tables.putResume(change.record);
      break;
    case "listener":
      tables.putListener(change.record);
      break;
    case "schedule":
      tables.putSchedule(change.record);
      break;
  }
}

function remove(change: Delete, tables: Tables): void {
  switch (change.delete) {
    case "promise":
      tables.deletePromise(change.id);
      break;
    case "callback":
      tables.deleteCallback(change.record);
      break;
    case "resumes":
      tables.deleteResumes(change.awaiter);
      break;
    case "listener":
      tables.deleteListener(change.record);
      break;
    case "schedule":
      tables.deleteSchedule(change.id);
      break;
  }
}

function obligationsOf(id: string, { promises }: Tables): LoadedObligations {
  const entry = promises.get(id);
  // One that has been forgotten waits no longer.
  const waits = (awaiter: Entry) => promises.get(awaiter.promise.id) === awaiter;
  const awaiters = page(entry?.callbacks?.after().filter(waits));
  const addresses = page(entry?.untold?.after());
  return {
    id,
    callbacks: awaiters.slice(0, OBLIGATIONS_MAX).map(({ promise }) => promise.id),
    listeners: addresses.slice(0, OBLIGATIONS_MAX),
    more: Math.max(awaiters.length, addresses.length) > OBLIGATIONS_MAX,
  };
}

/** The first that are shown, and one more if there is one. */
function page<K>(keys: IteratorObject<K, unknown> | undefined): readonly K[] {
  return keys?.take(OBLIGATIONS_MAX + 1).toArray() ?? [];
}

function promiseStep({ promise: { id, state } }: Entry): Step {
  return { kind: state === "pending" ? "promise.timeout" : "promise.announce", data: { id } };
}

function taskStep({ promise: { id }, task }: Entry): Step {
  const data = { id, version: task?.version ?? 0 };
  return task?.state === "pending"
    ? { kind: "task.offer", data }
    : { kind: "task.expire", data: { ...data, lost: false } };
}

function listing(tables: Tables): Listing {
  const { ids, schedules, scheduleIds } = tables;
  return {
    promises: (start) => from(ids, start).map((id) => tables.entry(id).promise),
    tagged: (name, text, start) => tagged(tables, name, text, start),
    tasks: (after) =>
      ids.after(after).flatMap((id) => {
        const { task, promise } = tables.entry(id);
        return task ? [{ task, promise }] : [];
      }),
    schedules: (after) =>
      scheduleIds.after(after).flatMap((id) => {
        const schedule = schedules.get(id);
        return schedule ? [schedule] : [];
      }),
  };
}

function tagged(
  tables: Tables,
  name: IndexedTag,
  text: string,
  start: Start,
): IteratorObject<StoredPromise, void> {
  return withOwn(tables.tagged(name, text), text, start).flatMap((id) => {
    const entry = tables.promises.get(id);
    return entry ? [entry.promise] : [];
  });
}

/** Records until they are about `bytesMax` together; at least one. */
function upTo<R>(bytesMax = Number.POSITIVE_INFINITY, records: Iterable<R>): readonly R[] {
  const taken: R[] = [];
  let bytes = 0;
  for (const record of records) {
    taken.push(record);
    bytes += weigh(record);
    if (bytes >= bytesMax) break;
  }
  return taken;
}

function from(ids: OrderedIndex<string>, start: Start): IteratorObject<string> {
  return byBytes(start.from, start.after) > 0 ? ids.from(start.from) : ids.after(start.after);
}

/** The ids of an index of a tag, and in its place the text itself: a promise whose tag is its own id is not indexed. */
function* withOwn(
  index: OrderedIndex<string> | undefined,
  text: string,
  start: Start,
): Generator<string, void> {
  let own = byBytes(text, start.after) > 0 && byBytes(text, start.from) >= 0;
  for (const id of index ? from(index, start) : []) {
    if (own && byBytes(text, id) < 0) {
      yield text;
      own = false;
    }
    yield id;
  }
  if (own) yield text;
}
