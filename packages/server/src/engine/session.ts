/**
 * The records one transaction has seen, as they stand after the steps taken so far, and the changes that are
 * still to be written. What is read from the store later is overlaid with them.
 */
import { isExternal, TAG } from "@resonate-ts/protocol";
import type {
  Callback,
  Change,
  Delete,
  Listener,
  Put,
  ScheduleRecord,
  StoredPromise,
  StoredTask,
} from "../core/records.ts";
import type {
  Awaits,
  CoreSettings,
  Keys,
  ListenerKey,
  Obligations,
  Search,
  Tree,
  World,
} from "../core/step.ts";
import type { Found, Transaction } from "../stores/store.ts";

interface LiveObligations extends Obligations {
  readonly callbacks: Set<string>;
  readonly listeners: Set<string>;
}

export class Session implements World {
  #at: number;
  readonly settings: CoreSettings;
  readonly #tx: Transaction;
  readonly #promises = new Map<string, StoredPromise | undefined>();
  readonly #tasks = new Map<string, StoredTask | undefined>();
  readonly #obligations = new Map<string, LiveObligations>();
  readonly #listeners = new Map<string, Listener | undefined>();
  readonly #awaits = new Map<string, Awaits>();
  readonly #schedules = new Map<string, ScheduleRecord | undefined>();
  /** Trees that have not changed since they were read. */
  readonly #trees = new Map<string, Tree>();
  /** The tree of each promise in `#trees`. */
  readonly #treeOf = new Map<string, string>();
  /** Changes not yet written, the last one to each record, in the order of the first one to it. */
  #unwritten = new Map<string, Change>();
  /** Promises of which changes to callbacks or listeners are among them. */
  #obligationsUnwritten = new Set<string>();
  /** Promises put in this transaction, by their branch. */
  readonly #branches = new Map<string, Set<string>>();
  /** What is unwritten of resumes, by awaiter: whether the stored ones are gone, and what came since. */
  #resumes = new Map<string, { readonly cleared: boolean; readonly awaited: Set<string> }>();

  constructor(tx: Transaction, at: number, settings: CoreSettings) {
    this.#tx = tx;
    this.#at = at;
    this.settings = settings;
  }

  /** Moves on where the store has the clock: by its time, others may have decided on what was read since. */
  get at(): number {
    return this.#at;
  }

  promise(id: string): StoredPromise | undefined {
    return seen(this.#promises, id);
  }

  task(id: string): StoredTask | undefined {
    return seen(this.#tasks, id);
  }

  obligations(id: string): Obligations {
    const obligations = seen(this.#obligations, id);
    if (!obligations) throw new Error(`obligations of '${id}' were not loaded`);
    return obligations;
  }

  listener(key: ListenerKey): Listener | undefined {
    return seen(this.#listeners, listenerKey(key));
  }

  awaits(id: string): Awaits {
    return seen(this.#awaits, id);
  }

  schedule(id: string): ScheduleRecord | undefined {
    return seen(this.#schedules, id);
  }

  tree(origin: string): Tree {
    return seen(this.#trees, origin);
  }

  /** Whether there is nothing to `load`. */
  has({ promises = [], schedules = [], obligations, listeners, awaits, trees }: Keys): boolean {
    return (
      !(obligations || listeners || awaits || trees) &&
      promises.every((id) => this.#promises.has(id)) &&
      schedules.every((id) => this.#schedules.has(id))
    );
  }

  /** Reads what has not been seen yet, and trees that may have changed since. */
  async load(keys: Keys): Promise<void> {
    if (keys.trees) await this.#loadTrees(keys.trees);
    if (keys.awaits) await this.#loadAwaits(keys.awaits);
    const promises = unseen(this.#promises, keys.promises);
    const schedules = unseen(this.#schedules, keys.schedules);
    const obligations = this.#unseenObligations(keys.obligations);
    const listeners = keys.listeners?.filter((key) => !this.#listeners.has(listenerKey(key))) ?? [];
    if (promises.length + schedules.length + obligations.length + listeners.length === 0) return;
    await this.#flushObligations([...obligations, ...listeners.map(({ awaited }) => awaited)]);
    const loaded = await this.#tx.load({ promises, schedules, obligations, listeners });
    this.#at = Math.max(this.#at, loaded.at ?? 0);
    for (const id of promises) this.#tasks.set(id, undefined);
    for (const record of loaded.promises) this.#promises.set(record.id, record);
    for (const record of loaded.tasks) this.#tasks.set(record.id, record);
    for (const record of loaded.schedules) this.#schedules.set(record.id, record);
    for (const { id, callbacks, listeners, more } of loaded.obligations) {
      const live = { callbacks: new Set(callbacks), listeners: new Set(listeners), more };
      this.#obligations.set(id, live);
    }
    for (const key of listeners) this.#listeners.set(listenerKey(key), undefined);
    for (const record of loaded.listeners) this.#listeners.set(listenerKey(record), record);
  }

  /** Trees are read from rows, so what is unwritten is written before. */
  async #loadTrees(origins: readonly string[]): Promise<void> {
    const trees = origins.filter((origin) => !this.#trees.has(origin));
    if (trees.length === 0) return;
    await this.flush();
    const loaded = await this.#tx.load({ trees });
    for (const tree of loaded.trees) {
      this.#trees.set(tree.origin, tree);
      for (const { id } of tree.members) this.#treeOf.set(id, tree.origin);
    }
  }

  /** What a task awaits is read from rows, each time, after what is unwritten. */
  async #loadAwaits(ids: readonly string[]): Promise<void> {
    await this.flush();
    const { awaits } = await this.#tx.load({ awaits: ids });
    for (const { id, ...rest } of awaits) this.#awaits.set(id, rest);
  }

  /** Nobody can wait for a promise that is not external, so nothing is read for one that is known not to be. */
  #unseenObligations(ids: readonly string[] = []): readonly string[] {
    return ids.filter((id) => {
      if (this.#obligations.has(id)) return false;
      const promise = this.#promises.get(id);
      if (!promise || isExternal(promise.tags)) return true;
      this.#obligations.set(id, { callbacks: new Set(), listeners: new Set(), more: false });
      return false;
    });
  }

  /** Takes over what a step did. */
  record(changes: readonly Change[]): void {
    for (const change of changes) this.#see(change);
  }

  /** Writes what is unwritten. */
  async flush(): Promise<void> {
    if (this.#unwritten.size + this.#resumes.size === 0) return;
    const changes = [...this.#unwritten.values(), ...this.#resumeChanges()];
    this.#unwritten = new Map();
    this.#obligationsUnwritten = new Set();
    this.#resumes = new Map();
    await this.#tx.write(changes);
  }

  // Preloads are read without writing first, so that a record which changes twice in a batch is written once.

  /** The promises tagged with this branch. */
  async branch(branch: string, bytesMax: number): Promise<readonly StoredPromise[]> {
    return this.#upToDate(await this.#tx.branch(branch, bytesMax), this.#branches.get(branch));
  }

  /** The promises that settled since the task was last claimed. */
  async resumed(awaiter: string, bytesMax: number): Promise<readonly StoredPromise[]> {
    const unwritten = this.#resumes.get(awaiter);
    const stored = unwritten?.cleared ? [] : await this.#tx.resumed(awaiter, bytesMax);
    return this.#upToDate(stored, unwritten?.awaited);
  }

  /** What was read, and these, as they stand now. */
  #upToDate(
    stored: readonly StoredPromise[],
    others: ReadonlySet<string> = new Set(),
  ): readonly StoredPromise[] {
    const promises = new Map(stored.map((promise) => [promise.id, promise]));
    for (const id of [...promises.keys(), ...others]) {
      const current = this.#promises.get(id);
      if (current) promises.set(id, current);
    }
    return [...promises.values()];
  }

  async search(search: Search, bytesMax: number): Promise<Found> {
    await this.flush();
    return this.#tx.search(search, this.#at, bytesMax);
  }

  #see(change: Change): void {
    const key = keyOf(change);
    if (key !== undefined) this.#unwritten.set(key, change);
    if ("delete" in change) this.#seeDelete(change);
    else this.#seePut(change);
  }

  #seePut(change: Put): void {
    // Whatever it is, it may be of a tree, or wait for one. (To clear what is empty makes a new table each time.)
    if (this.#trees.size > 0) this.#trees.clear();
    switch (change.put) {
      case "promise":
        this.#seePromise(change.record);
        return;
      case "task":
        this.#tasks.set(change.record.id, change.record);
        return;
      case "schedule":
        this.#schedules.set(change.record.id, change.record);
        return;
      case "callback":
        this.#obligationsUnwritten.add(change.record.awaited);
        this.#obligations.get(change.record.awaited)?.callbacks.add(change.record.awaiter);
        return;
      case "listener":
        this.#seeListener(change.record);
        return;
      case "resume":
        this.#resumesOf(change.record.awaiter).awaited.add(change.record.awaited);
        return;
    }
  }

  #seeDelete(change: Delete): void {
    switch (change.delete) {
      case "promise":
        this.#promises.set(change.id, undefined);
        this.#tasks.set(change.id, undefined);
        this.#trees.delete(this.#treeOf.get(change.id) ?? change.id);
        this.#obligations.delete(change.id);
        return;
      case "callback":
        this.#obligationsUnwritten.add(change.record.awaited);
        this.#obligations.get(change.record.awaited)?.callbacks.delete(change.record.awaiter);
        return;
      case "listener":
        this.#obligationsUnwritten.add(change.record.awaited);
        this.#obligations.get(change.record.awaited)?.listeners.delete(change.record.address);
        this.#listeners.set(listenerKey(change.record), undefined);
        return;
      case "schedule":
        this.#schedules.set(change.id, undefined);
        return;
      case "resumes":
        this.#resumes.set(change.awaiter, { cleared: true, awaited: new Set() });
        return;
    }
  }

  #seePromise(record: StoredPromise): void {
    this.#promises.set(record.id, record);
    const branch = record.tags[TAG.branch];
    if (branch === undefined) return;
    this.#branches.set(branch, (this.#branches.get(branch) ?? new Set()).add(record.id));
  }

  #seeListener(record: Listener): void {
    this.#obligationsUnwritten.add(record.awaited);
    this.#listeners.set(listenerKey(record), record);
    const untold = this.#obligations.get(record.awaited)?.listeners;
    if (record.notifyAt === undefined) untold?.add(record.address);
    else untold?.delete(record.address);
  }

  #resumesOf(awaiter: string) {
    const known = this.#resumes.get(awaiter) ?? { cleared: false, awaited: new Set<string>() };
    this.#resumes.set(awaiter, known);
    return known;
  }

  *#resumeChanges(): Generator<Change> {
    for (const [awaiter, { cleared, awaited }] of this.#resumes) {
      if (cleared) yield { delete: "resumes", awaiter };
      for (const id of awaited) yield { put: "resume", record: { awaiter, awaited: id } };
    }
  }

  /** Who waits is read from rows, so changes to the rows of these promises are written before. */
  async #flushObligations(awaited: readonly string[]): Promise<void> {
    if (awaited.some((id) => this.#obligationsUnwritten.has(id))) await this.flush();
  }
}

/** Names the record that a change is to. Resumes are kept apart: they are cleared by awaiter. */
function keyOf(change: Change): string | undefined {
  return "put" in change ? keyOfPut(change) : keyOfDelete(change);
}

function keyOfPut(change: Put): string | undefined {
  switch (change.put) {
    case "promise":
    case "task":
    case "schedule":
      return `${change.put} ${change.record.id}`;
    case "callback":
      return callbackKey(change.record);
    case "listener":
      return listenerKey(change.record);
    case "resume":
      return undefined;
  }
}

function keyOfDelete(change: Delete): string | undefined {
  switch (change.delete) {
    case "promise":
      // Not the key of the record: one that is created after it must not take its place.
      return `deletion ${change.id}`;
    case "callback":
      return callbackKey(change.record);
    case "listener":
      return listenerKey(change.record);
    case "schedule":
      return `schedule ${change.id}`;
    case "resumes":
      return undefined;
  }
}

function callbackKey({ awaiter, awaited }: Callback): string {
  return `callback ${awaited}\0${awaiter}`;
}

function listenerKey({ awaited, address }: ListenerKey): string {
  return `listener ${awaited}\0${address}`;
}

function seen<T>(records: ReadonlyMap<string, T>, key: string): T {
  if (!records.has(key)) throw new Error(`a step read '${key}' without naming it in keys()`);
  return records.get(key) as T; // It is there.
}

/** Marks ids as seen (absent until loaded) and returns those that were not. */
function unseen<T>(records: Map<string, T | undefined>, ids: readonly string[] = []): string[] {
  const fresh: string[] = [];
  for (const id of ids) {
    if (records.has(id)) continue;
    records.set(id, undefined);
    fresh.push(id);
  }
  return fresh;
}
