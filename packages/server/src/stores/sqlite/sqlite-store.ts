/**
 * Keeps records in one SQLite file, which this process has for itself.
 *
 * I1. Transactions run one after the other, each `BEGIN IMMEDIATE … COMMIT`; with `synchronous=FULL` a commit
 *     returns when the operating system says that the log is on the disk.
 * I2. Only this process writes, so the next row number is known without asking.
 * I3. The stored floor of the clock is never below the instant of a committed transaction.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TAG } from "@resonate-ts/protocol";
import type { Change, Snapshot, StoredPromise, StoredTask } from "../../core/records.ts";
import type { Keys, Search } from "../../core/step.ts";
import type { Insight } from "../insight.ts";
import { hashOf, promiseOf, taskOf, taskState, upTo } from "../rows.ts";
import { search } from "../search.ts";
import {
  type Due,
  type Found,
  type Loaded,
  type OldTrees,
  type Pending,
  type Store,
  StoreDamagedError,
  StoreUnknownError,
  StoreUnusableError,
  type Transaction,
} from "../store.ts";
import { Checkpoints } from "./checkpoints.ts";
import { findDue } from "./due.ts";
import { errorCode, openingError, SQLITE_FULL, transactionError } from "./errors.ts";
import { sqliteInsight } from "./insight.ts";
import { load } from "./load.ts";
import { lock } from "./lock.ts";
import { migrate } from "./schema.ts";
import { listing } from "./search.ts";
import { deleteAll, snapshot } from "./snapshot.ts";
import { Statements } from "./statements.ts";
import { findOldTrees } from "./trees.ts";
import { NEXT_SEQ, pagesOf, type Rows, write } from "./write.ts";

export interface SqliteOptions {
  readonly path: string;
  readonly synchronous: "full" | "normal";
  /** Pages in the log after which it is moved into the database. Default: some thousands. */
  readonly checkpointPages?: number | undefined;
}

/** How far ahead of its instant a transaction puts the floor of the clock, in ms, so that few have to write it. */
const FLOOR_AHEAD_MS = 1_000;
/** A disk that was full is so until this much is free: more than the largest request needs. */
const ROOM_BYTES_MIN = 8 * 1_048_576;
const CLOCK_FLOOR = "clock_floor";
/** SQLite before this version can lose data in its log (https://sqlite.org/wal.html, "WAL-reset bug"). */
const SQLITE_MIN = [3, 51, 3] as const;

export class SqliteStore implements Store, Transaction {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #unlock: () => void;
  readonly #checkpoints: Checkpoints;
  readonly clockFloor: number;
  readonly insight: Insight;
  /** What this transaction has seen of rows. */
  readonly #rows: Rows = {
    seqs: new Map(),
    bornCrcs: new Map(),
    add: (id) => {
      const seq = this.#nextSeq++;
      this.#rows.seqs.set(id, seq);
      return seq;
    },
    nextSeq: () => this.#nextSeq,
  };
  #nextSeq: number;
  /** What is stored of it. */
  #floor: number;
  /** Whether this transaction has written records. */
  #wrote = false;
  /** About how many pages it has written. */
  #pages = 0;
  #writable = true;
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ path, checkpointPages: pages, ...options }: SqliteOptions) {
    this.#path = path;
    this.#unlock = locked(path);
    const synchronous = options.synchronous === "full" ? "FULL" : "NORMAL";
    const between = (work: () => Promise<void>) => this.#alone(work);
    let db: DatabaseSync | undefined;
    try {
      db = open(path, synchronous);
      this.#checkpoints = new Checkpoints({ db, path, synchronous, between, pages });
      this.#statements = new Statements(db);
      this.#nextSeq = Math.max(
        Number(this.#statements.lastSeq.get()?.["seq"] ?? 0) + 1,
        Number(this.#statements.meta.get(NEXT_SEQ)?.["value"] ?? 0),
      );
      this.#floor = Number(this.#statements.meta.get(CLOCK_FLOOR)?.["value"] ?? 0);
    } catch (error) {
      db?.close();
      this.#unlock();
      throw openingError(error, path);
    }
    this.#db = db;
    this.clockFloor = this.#floor;
    this.insight = sqliteInsight(db, path, (question) => this.#alone(async () => question()));
  }

  get writable(): boolean {
    return this.#writable;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    return this.#alone(() => this.#transact(work, at));
  }

  async load(keys: Keys): Promise<Loaded> {
    return load(keys, this.#statements, this.#rows);
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.#wrote = true;
    for (const change of changes) this.#pages += pagesOf(change);
    write(changes, this.#statements, this.#rows);
  }

  async branch(branch: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const { byBranch, byId, inBranch } = this.#statements;
    const hash = hashOf(branch);
    // What has just begun has nothing in its branch but itself; to see that is much cheaper than to list a branch.
    const alone = inBranch.get(hash) === undefined;
    const rows = alone ? byId.all(branch) : upTo(bytesMax, byBranch.iterate(hash, branch));
    return [...rows].map(promiseOf).filter(({ tags }) => tags[TAG.branch] === branch);
  }

  async resumed(awaiter: string, bytesMax?: number): Promise<readonly StoredPromise[]> {
    const rows = this.#statements.resumed.iterate(this.#rows.seqs.get(awaiter) ?? 0);
    return [...upTo(bytesMax, rows)].map(promiseOf);
  }

  async search(wanted: Search, at: number, bytesMax?: number): Promise<Found> {
    return search(listing(this.#db), wanted, { at, bytesMax });
  }

  async due(at: number, limit: number): Promise<Due> {
    return findDue(this.#statements, at, limit);
  }

  async heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]> {
    const { held, heldBy } = this.#statements;
    const rows = pid === undefined ? held.all(limit) : heldBy.all(pid, limit);
    return rows.map(taskOf);
  }

  async pending(limit: number): Promise<readonly Pending[]> {
    const rows = this.#statements.pending.all(taskState("pending"), limit);
    return rows.flatMap((row) => {
      try {
        return { task: taskOf(row), promise: promiseOf(row) };
      } catch (error) {
        if (error instanceof StoreDamagedError) return [];
        throw error;
      }
    });
  }

  async oldTrees(look: { after: number; before: number; limit: number }): Promise<OldTrees> {
    return findOldTrees(this.#statements, look);
  }

  async snapshot(): Promise<Snapshot> {
    return snapshot(this.#db);
  }

  reset(): Promise<void> {
    return this.transaction(async () => deleteAll(this.#db), this.clockFloor);
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#checkpoints.end();
    this.#db.close();
    this.#unlock();
  }

  /** Does `work` after all that was asked for before. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    this.#checkpoints.check();
    this.#rows.seqs.clear();
    this.#rows.bornCrcs.clear();
    this.#wrote = false;
    this.#pages = 0;
    const nextSeq = this.#nextSeq;
    let phase: "work" | "commit" = "work";
    let value: T | undefined;
    try {
      this.#statements.begin.run();
      value = await work(this);
      phase = "commit";
      this.#commit(at);
      return value;
    } catch (error) {
      this.#nextSeq = nextSeq;
      this.#rollBack();
      if (errorCode(error) === SQLITE_FULL) {
        this.#writable = false;
        // All that found no room is the floor of the clock: what was read may be answered.
        if (phase === "commit" && !this.#wrote) return value as T; // It was assigned before the commit.
      }
      throw transactionError(error, phase);
    }
  }

  #commit(at: number): void {
    const raised = at > this.#floor ? at + FLOOR_AHEAD_MS : this.#floor;
    const writes = this.#wrote || raised > this.#floor;
    if (raised > this.#floor) this.#statements.putMeta.run(CLOCK_FLOOR, raised);
    this.#statements.commit.run();
    this.#checkpoints.committed(this.#pages);
    this.#floor = raised;
    // A small write may find room where the next large one does not.
    if (writes && !this.#writable) this.#writable = hasRoom(this.#path);
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#statements.rollback.run();
    } catch (error) {
      throw new StoreUnknownError("a transaction could not be rolled back", { cause: error });
    }
  }
}

function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize >= ROOM_BYTES_MIN;
}

function locked(path: string): () => void {
  try {
    return lock(path);
  } catch (error) {
    throw openingError(error, path);
  }
}

function open(path: string, synchronous: "FULL" | "NORMAL"): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    requireVersion(db);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${synchronous};
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
