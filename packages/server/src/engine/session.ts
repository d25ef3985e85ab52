/**
 * The records one transaction has seen, as they stand after the steps taken so far, and the changes that are
 * still to be written. What is read from the store later is overlaid with them.
 */
import { isExternal, TAG } from "@resonate-ts/protocol";
import type {
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
  Query,
  Search,
  Tree,
  World,
} from "../core/step.ts";
import type { Found, Transaction } from "../stores/store.ts";
import { keyOf, listenerKey } from "./change-keys.ts";

/** How much is read ahead at a time, in bytes: it is kept until the batch ends. */
const AHEAD_BYTES_MAX = 8 * 1024 * 1024;

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
  /** What was read ahead of branches: it is as it was stored then, and all that has changed since is in `#branches`. */
  readonly #branchesAhead = new Map<string, readonly StoredPromise[]>();
  /** What was read ahead of resumes, by awaiter, since something was written last. */
  readonly #resumedAhead = new Map<string, readonly StoredPromise[]>();
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
    await this.#loadRecords(keys);
    // By now it is known of which of them somebody can wait.
    if (keys.obligations) await this.#loadObligations(keys.obligations);
  }

  async #loadRecords(keys: Keys): Promise<void> {
    const promises = unseen(this.#promises, keys.promises);
    const schedules = unseen(this.#schedules, keys.schedules);
    const listeners = keys.listeners?.filter((key) => !this.#listeners.has(listenerKey(key))) ?? [];
    if (promises.length + schedules.length + listeners.length === 0) return;
    await this.#flushObligations(listeners.map(({ awaited }) => awaited));
    const loaded = await this.#tx.load({ promises, schedules, listeners });
    this.#at = Math.max(this.#at, loaded.at ?? 0);
    for (const id of promises) this.#tasks.set(id, undefined);
    for (const record of loaded.promises) this.#promises.set(record.id, record);
    for (const record of loaded.tasks) this.#tasks.set(record.id, record);
    for (const record of loaded.schedules) this.#schedules.set(record.id, record);
    for (const key of listeners) this.#listeners.set(listenerKey(key), undefined);
    for (const record of loaded.listeners) this.#listeners.set(listenerKey(record), record);
  }

  async #loadObligations(ids: readonly string[]): Promise<void> {
    const unseen = this.#unseenObligations(ids);
    if (unseen.length === 0) return;
    await this.#flushObligations(unseen);
    const loaded = await this.#tx.load({ obligations: unseen });
    this.#at = Math.max(this.#at, loaded.at ?? 0);
    for (const { id, callbacks, listeners, more } of loaded.obligations) {
      const live = { callbacks: new Set(callbacks), listeners: new Set(listeners), more };
      this.#obligations.set(id, live);
      // Of those that have not been told there is no more to know.
      for (const address of listeners) {
        const record = { awaited: id, address };
        this.#listeners.set(listenerKey(record), record);
      }
    }
  }

  /**
   * Reads what these ask for, together, where each question is a journey. What has not come then, because it is much, is
   * read when it is asked for.
   */
  async readAhead(queries: readonly Query[]): Promise<void> {
    if (!this.#tx.ahead) return;
    const branches = new Set<string>();
    const awaiters = new Set<string>();
    for (const query of queries) {
      if (query.kind === "branch") branches.add(query.branch);
      if (query.kind === "resumed") awaiters.add(query.awaiter);
    }
    const asked = {
      branches: [...branches].filter((branch) => !this.#branchesAhead.has(branch)),
      awaiters: [...awaiters].filter((awaiter) => !this.#resumedAhead.has(awaiter)),
    };
    const read = await this.#tx.ahead(asked, AHEAD_BYTES_MAX);
    for (const [branch, stored] of read.branches) this.#branchesAhead.set(branch, stored);
    for (const [awaiter, stored] of read.resumed) this.#resumedAhead.set(awaiter, stored);
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

  /** Nobody can wait for a promise that is absent or not external, so nothing is read for one that is known to be so. */
  #unseenObligations(ids: readonly string[]): readonly string[] {
    return [...new Set(ids)].filter((id) => {
      if (this.#obligations.has(id)) return false;
      const promise = this.#promises.get(id);
      if (promise ? isExternal(promise.tags) : !this.#promises.has(id)) return true;
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
    this.#resumedAhead.clear();
    await this.#tx.write(changes);
  }

  // Preloads are read without writing first, so that a record which changes twice in a batch is written once.

  /** The promises tagged with this branch. */
  async branch(branch: string, bytesMax: number): Promise<readonly StoredPromise[]> {
    const stored = this.#branchesAhead.get(branch) ?? (await this.#tx.branch(branch, bytesMax));
    return this.#upToDate(stored, this.#branches.get(branch));
  }

  /** The promises that settled since the task was last claimed. */
  async resumed(awaiter: string, bytesMax: number): Promise<readonly StoredPromise[]> {
    const unwritten = this.#resumes.get(awaiter);
    const stored = unwritten?.cleared
      ? []
      : (this.#resumedAhead.get(awaiter) ?? (await this.#tx.resumed(awaiter, bytesMax)));
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
      else if (this.#promises.has(id)) promises.delete(id);
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
