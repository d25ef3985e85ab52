/**
 * Keeps records in one SQLite file (or in memory), which this process has for itself.
 *
 * I1. Transactions run one after the other, each `BEGIN IMMEDIATE … COMMIT`; with `synchronous=FULL` a commit
 *     returns when the operating system says that the log is on the disk.
 * I2. Only this process writes, so the next row number is known without asking.
 */
import { DatabaseSync } from "node:sqlite";
import { TAG } from "@resonate-ts/protocol";
import type { Change, Snapshot, StoredPromise, StoredTask } from "../../core/records.ts";
import type { Keys, Search } from "../../core/step.ts";
import {
  type Due,
  type Found,
  type Loaded,
  type Pending,
  type Store,
  StoreUnknownError,
  StoreUnusableError,
  type Transaction,
} from "../store.ts";
import { findDue } from "./due.ts";
import { openingError, transactionError } from "./errors.ts";
import { load } from "./load.ts";
import { lock } from "./lock.ts";
import { hashOf, promiseOf, taskOf, taskState, upTo } from "./rows.ts";
import { migrate } from "./schema.ts";
import { search } from "./search.ts";
import { deleteAll, snapshot } from "./snapshot.ts";
import { Statements } from "./statements.ts";
import { write } from "./write.ts";

export interface SqliteOptions {
  /** Absent: in memory. */
  readonly path?: string;
  readonly synchronous: "full" | "normal";
}

/** Pages in the log before it is moved into the database: fewer, longer pauses than SQLite's own 1,000. */
const CHECKPOINT_PAGES = 8_000;
/** SQLite before this version can lose data in its log (https://sqlite.org/wal.html, "WAL-reset bug"). */
const SQLITE_MIN = [3, 51, 3] as const;

export class SqliteStore implements Store, Transaction {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #unlock: () => void;
  /** Row numbers of the promises seen in this transaction. */
  readonly #seqs = new Map<string, number>();
  #nextSeq: number;
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ path, synchronous }: SqliteOptions) {
    this.#unlock = path === undefined ? () => {} : locked(path);
    let db: DatabaseSync | undefined;
    try {
      db = open(path ?? ":memory:", synchronous);
      this.#statements = new Statements(db);
      this.#nextSeq = Number(this.#statements.lastSeq.get()?.["seq"] ?? 0) + 1;
    } catch (error) {
      db?.close();
      this.#unlock();
      throw openingError(error, path ?? ":memory:");
    }
    this.#db = db;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => this.#transact(work));
    this.#tail = result.catch(() => {});
    return result;
  }

  async load(keys: Keys): Promise<Loaded> {
    return load(keys, this.#statements, this.#seqs);
  }

  async write(changes: readonly Change[]): Promise<void> {
    write(changes, this.#statements, {
      known: (id) => this.#seqs.get(id),
      fresh: (id) => {
        const seq = this.#nextSeq++;
        this.#seqs.set(id, seq);
        return seq;
      },
    });
  }

  async branch(branch: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const rows = this.#statements.byBranch.iterate(hashOf(branch), branch);
    return [...upTo(bytesMax, rows)]
      .map(promiseOf)
      .filter(({ tags }) => tags[TAG.branch] === branch);
  }

  async resumed(awaiter: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const rows = this.#statements.resumed.iterate(this.#seqs.get(awaiter) ?? 0);
    return [...upTo(bytesMax, rows)].map(promiseOf);
  }

  async search(wanted: Search, at: number, bytesMax?: number): Promise<Found> {
    return search(this.#db, wanted, { at, bytesMax });
  }

  async due(at: number, limit: number): Promise<Due> {
    return findDue(this.#statements, at, limit);
  }

  async heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]> {
    return this.#statements.held
      .all(taskState("acquired"), pid ?? null, pid ?? null, limit)
      .map(taskOf);
  }

  async pending(limit: number): Promise<readonly Pending[]> {
    const rows = this.#statements.pending.all(taskState("pending"), limit);
    return rows.map((row) => ({ task: taskOf(row), promise: promiseOf(row) }));
  }

  async snapshot(): Promise<Snapshot> {
    return snapshot(this.#db);
  }

  reset(): Promise<void> {
    return this.transaction(async () => deleteAll(this.#db));
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#db.close();
    this.#unlock();
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#seqs.clear();
    const nextSeq = this.#nextSeq;
    let phase: "work" | "commit" = "work";
    try {
      this.#statements.begin.run();
      const value = await work(this);
      phase = "commit";
      this.#statements.commit.run();
      return value;
    } catch (error) {
      this.#nextSeq = nextSeq;
      this.#rollBack();
      throw transactionError(error, phase);
    }
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#statements.rollback.run();
    } catch (error) {
      throw new StoreUnknownError("a transaction could not be rolled back", { cause: error });
    }
  }
}

function locked(path: string): () => void {
  try {
    return lock(path);
  } catch (error) {
    throw openingError(error, path);
  }
}

function open(path: string, synchronous: "full" | "normal"): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    requireVersion(db);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${synchronous === "full" ? "FULL" : "NORMAL"};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA foreign_keys = OFF;
    `);
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function requireVersion(db: DatabaseSync): void {
  const version = String(db.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [majorMin, minorMin, patchMin] = SQLITE_MIN;
  if ((major - majorMin || minor - minorMin || patch - patchMin) >= 0) return;
  throw new StoreUnusableError(
    `this Node brings SQLite ${version}; ${SQLITE_MIN.join(".")} or newer is needed: use a newer Node`,
  );
}
