import type { Change, Snapshot, StoredTask } from "../../src/core/records.ts";
import type { Insight } from "../../src/stores/insight.ts";
import type { Due, OldTrees, Pending, Store, Transaction } from "../../src/stores/store.ts";

/** A store that counts what is asked of it, and fails where a test says so. */
export class WatchedStore implements Store {
  /** Transactions that were committed. */
  commits = 0;
  /** Transactions that were begun. */
  begun = 0;
  /** How often due steps were looked for. */
  looks = 0;
  /** Reads that have not been answered. */
  readonly reading = new Set<Promise<unknown>>();
  /** Runs before a transaction, inside of it. May throw. */
  before: () => void | Promise<void> = () => {};
  /** Runs after a transaction has done its work, before it is committed. May throw. */
  beforeCommit: () => void | Promise<void> = () => {};
  /** Runs after the commit, before anyone hears of it. */
  afterCommit: () => void | Promise<void> = () => {};
  /** Sees what is about to be written. */
  beforeWrite: (changes: readonly Change[]) => void = () => {};
  /** Ids of promises whose reading breaks. */
  readonly poisoned = new Set<string>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get clockFloor(): number {
    return this.#store.clockFloor;
  }

  get writable(): boolean {
    return this.#store.writable;
  }

  get insight(): Insight {
    return this.#store.insight;
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    this.begun++;
    const value = await this.#store.transaction(async (tx) => {
      await this.before();
      const done = await work(this.#watched(tx));
      await this.beforeCommit();
      return done;
    }, at);
    this.commits++;
    await this.afterCommit();
    return value;
  }

  due(at: number, limit: number): Promise<Due> {
    this.looks++;
    return this.#read(this.#store.due(at, limit));
  }

  heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]> {
    return this.#read(this.#store.heldBy(pid, limit));
  }

  pending(limit: number): Promise<readonly Pending[]> {
    return this.#read(this.#store.pending(limit));
  }

  oldTrees(look: { after: number; before: number; limit: number }): Promise<OldTrees> {
    return this.#read(this.#store.oldTrees(look));
  }

  snapshot(): Promise<Snapshot> {
    return this.#store.snapshot();
  }

  reset(): Promise<void> {
    return this.#store.reset();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #read<T>(reading: Promise<T>): Promise<T> {
    this.reading.add(reading);
    const done = () => this.reading.delete(reading);
    reading.then(done, done);
    return reading;
  }

  #watched(tx: Transaction): Transaction {
    return {
      load: async (keys) => {
        const poison = keys.promises?.find((id) => this.poisoned.has(id));
        if (poison) throw new Error(`'${poison}' is poisoned`);
        return tx.load(keys);
      },
      write: (changes) => {
        this.beforeWrite(changes);
        return tx.write(changes);
      },
      branch: (branch, bytesMax) => tx.branch(branch, bytesMax),
      resumed: (awaiter, bytesMax) => tx.resumed(awaiter, bytesMax),
      search: (search, at, bytesMax) => tx.search(search, at, bytesMax),
      ...(tx.ahead && { ahead: tx.ahead.bind(tx) }),
    };
  }
}
