/**
 * Keeps records in PostgreSQL, which any number of servers share.
 *
 * I1. A transaction that met another one, or whose connection broke before its commit was sent, has written nothing and is
 *     run again, unseen by whoever asked for it.
 * I2. A commit whose answer was lost is looked up by its name before anything is said about it.
 * I3. The stored floor of the clock is never below the instant of a committed transaction.
 */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import type { Snapshot, StoredTask } from "../../core/records.ts";
import { promiseOf, type Row, taskOf } from "../rows.ts";
import {
  CommitUnknownError,
  type Due,
  type OldTrees,
  type Pending,
  type Store,
  StoreDamagedError,
  StoreUnavailableError,
  type Transaction,
} from "../store.ts";
import {
  connectionOf,
  PLANNING,
  type PostgresOptions,
  poolOf,
  UNREACHABLE_MS,
} from "./connections.ts";
import { readDue } from "./due.ts";
import { isCollision, isUnreachable, lastingError, Overtaken, openingError } from "./errors.ts";
import { postgresInsight } from "./insight.ts";
import { RowNumbers } from "./row-numbers.ts";
import { migrate } from "./schema.ts";
import { PostgresSharing } from "./sharing.ts";
import { snapshot } from "./snapshot.ts";
import {
  CLOCKS,
  DELETE_ALL,
  DUE,
  HELD,
  HELD_BY,
  LOCK_PROMISES,
  PENDING,
  RAISE_FLOOR,
  STATUS_OF,
} from "./statements.ts";
import { PostgresTransaction, type Query, queryOn, type TransactionName } from "./transaction.ts";
import { findOldTrees } from "./trees.ts";

/** How often a transaction that meets others is run again before it is given up. */
const COLLISIONS_MAX = 50;
/** How long it is run again, in ms: longer than `IDLE_MS`. */
const COLLIDING_MS = 15_000;
/**
 * How long a transaction waits for the rows that it locks first, in ms. There it waits in no circle, and for large batches of
 * other servers; for what it locks later it waits for `LATER_LOCK_MS`.
 */
const LOCK_TIMEOUT_MS = 2_000;
/**
 * How long a transaction may wait for its server, in ms, until the database ends it and gives up its locks: a server that
 * was cut off must not keep others from its rows until TCP finds out.
 */
const IDLE_MS = 5_000;
const CONFIRM_MS = 30_000;
/** The pause between two questions for the outcome of a commit, in ms. */
const CONFIRM_PAUSE_MS = 100;
/** How far ahead of its instant a transaction puts the floor of the clock, in ms, so that few have to write it. */
const FLOOR_AHEAD_MS = 1_000;
const SET_LOCK_TIMEOUT = `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`;
const BEGIN = [
  "BEGIN",
  SET_LOCK_TIMEOUT,
  `SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}`,
  ...PLANNING.map((name) => `SET LOCAL ${name} = off`),
].join("; ");

/** One run of a transaction. */
interface Attempt {
  readonly at: number;
  readonly pool: pg.Pool;
  /**
   * Promises that earlier runs locked, or waited for. What follows from a step is locked when it is found, in no order; the
   * next run locks all of it first, in order, and so does not meet again those that do the same.
   */
  readonly wanted: Set<string>;
}

export class PostgresStore implements Store {
  readonly clockFloor: number;
  /** The database's clock when it was opened, in ms since the epoch. */
  readonly openedAt: number;
  readonly sharing: PostgresSharing | undefined;
  readonly insight = postgresInsight((...asked) => this.#read(...asked));
  readonly #options: PostgresOptions;
  /** For transactions, so that nothing that is read keeps them waiting. */
  readonly #lane: pg.Pool;
  readonly #pool: pg.Pool;
  #floor: number;
  readonly #numbers = new RowNumbers();
  #writable = true;
  #tail: Promise<unknown> = Promise.resolve();

  /** @throws StoreUnusableError when the database cannot be reached or used. */
  static async open(options: PostgresOptions): Promise<PostgresStore> {
    const { url } = options;
    const client = new pg.Client(connectionOf(options));
    client.on("error", () => {});
    try {
      await client.connect();
      await migrate(client);
      const { rows } = await client.query(CLOCKS);
      const { floor = 0, at = 0 } = rows[0] ?? {};
      return new PostgresStore(options, { floor: Number(floor), at: Number(at) });
    } catch (error) {
      throw openingError(error, withoutPassword(url));
    } finally {
      await client.end().catch(() => {});
    }
  }

  private constructor(
    options: PostgresOptions,
    { floor, at }: { readonly floor: number; readonly at: number },
  ) {
    const { url, poolSize, shared } = options;
    this.#options = options;
    this.#floor = floor;
    this.clockFloor = floor;
    this.openedAt = at;
    this.#lane = poolOf(options, 1);
    this.#pool = poolOf(options, Math.max(1, poolSize - 1));
    const ask = this.#queryOn(this.#pool);
    const query: Query = (...question) =>
      ask(...question).catch((error) => {
        throw lastingError(error);
      });
    this.sharing =
      shared && new PostgresSharing({ query, url, hints: shared.sessions, time: shared.time });
  }

  get writable(): boolean {
    return this.#writable;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    const result = this.#tail.then(() => this.#persist(work, at, this.#lane));
    this.#tail = result.catch(() => {});
    return result;
  }

  aside<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    return this.#persist(work, at, this.#pool);
  }

  async due(at: number, limit: number): Promise<Due> {
    const rows = await this.#read(DUE, [at, limit], "due");
    return readDue(rows, { at, limit });
  }

  async heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]> {
    const rows =
      pid === undefined
        ? await this.#read(HELD, [limit], "held")
        : await this.#read(HELD_BY, [limit, pid], "held by");
    return rows.map(taskOf);
  }

  async pending(limit: number): Promise<readonly Pending[]> {
    const rows = await this.#read(PENDING, [limit], "pending");
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
    return findOldTrees((...asked) => this.#read(...asked), look);
  }

  async snapshot(): Promise<Snapshot> {
    return snapshot((...asked) => this.#read(...asked));
  }

  async reset(): Promise<void> {
    await this.#tail;
    await this.#read(DELETE_ALL, [], "delete all");
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.sharing?.close();
    await this.#lane.end();
    await this.#pool.end();
  }

  async #read(text: string, values: readonly unknown[], name: string): Promise<readonly Row[]> {
    const query = this.#queryOn(this.#pool);
    try {
      return await this.#patiently(() => query(text, values, name));
    } catch (error) {
      throw lastingError(error);
    }
  }

  #queryOn(client: pg.ClientBase | pg.Pool): Query {
    return queryOn(client, { prepare: this.#options.shared?.sessions ?? true });
  }

  /** Runs a transaction until it has not met another one. */
  async #persist<T>(work: (tx: Transaction) => Promise<T>, at: number, pool: pg.Pool): Promise<T> {
    const wanted = new Set<string>();
    const until = performance.now() + COLLIDING_MS;
    for (let collisions = 0; ; collisions++) {
      try {
        const value = await this.#patiently(() => this.#transact(work, { at, pool, wanted }));
        this.#writable = true;
        return value;
      } catch (error) {
        const again = collisions < COLLISIONS_MAX && performance.now() < until;
        if (!isCollision(error) || !again) throw this.#lasting(error);
        // Those that met do not meet again at the same moment.
        await wait(Math.random() * Math.min(2 ** collisions, 100));
      }
    }
  }

  /** Tries again for a while when the database cannot be reached. */
  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const until = performance.now() + UNREACHABLE_MS;
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (!isUnreachable(error) || performance.now() > until) throw error;
        await wait(Math.random() * Math.min(20 * 2 ** failures, 500));
      }
    }
  }

  #lasting(error: unknown): unknown {
    const lasting = lastingError(error);
    if (lasting instanceof StoreUnavailableError) this.#writable = false;
    return lasting;
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>, attempt: Attempt): Promise<T> {
    const { at, pool, wanted } = attempt;
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      // Not waited for: whatever is asked next waits for it anyway.
      const begun = client.query(BEGIN);
      begun.catch(() => {});
      const query = this.#queryOn(client);
      const time = this.#options.shared?.time;
      const tx = new PostgresTransaction(noting(wanted, query), { numbers: this.#numbers, time });
      if (wanted.size > 0) await tx.load({ promises: [...wanted] });
      const value = await work(tx);
      await begun;
      await tx.verify();
      broken = await this.#commit(query, { tx, at });
      return value;
    } catch (error) {
      if (isUnreachable(error)) broken = error;
      else broken = await client.query("ROLLBACK").then(ignore, (failure: Error) => failure);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Gives the error by which the connection broke, when the commit happened all the same. */
  async #commit(
    query: Query,
    { tx, at }: { readonly tx: PostgresTransaction; readonly at: number },
  ): Promise<Error | undefined> {
    const latest = Math.max(at, tx.at ?? 0);
    const raised = latest > this.#floor ? latest + FLOOR_AHEAD_MS : undefined;
    if (raised !== undefined) {
      // Every server's, once a second: who has it commits next, and is in no circle.
      await query(SET_LOCK_TIMEOUT, [], "set lock timeout");
      await query(RAISE_FLOOR, [raised], "raise floor");
    }
    // Nothing was written: its locks are given up, and no disk is waited for.
    else if (tx.name === undefined) {
      await query("ROLLBACK", [], "rollback");
      return undefined;
    }
    let broken: Error | undefined;
    try {
      await query("COMMIT", [], "commit");
    } catch (error) {
      if (tx.name === undefined || !isUnreachable(error)) throw error;
      await this.#confirm(tx.name, error);
      broken = error;
    }
    this.#floor = Math.max(this.#floor, raised ?? 0);
    return broken;
  }

  /** Finds out what became of a commit whose answer was lost. */
  async #confirm({ number, timeline }: TransactionName, cause: unknown): Promise<void> {
    const query = this.#queryOn(this.#pool);
    const { confirmMs = CONFIRM_MS } = this.#options;
    const until = performance.now() + confirmMs;
    while (performance.now() < until) {
      const [row] = await query(STATUS_OF, [number], "status").catch(() => []);
      if (row && row["timeline"] !== timeline) break;
      if (row?.["status"] === "committed") return;
      if (row?.["status"] === "aborted") {
        throw new Overtaken("the connection broke before the commit");
      }
      await wait(CONFIRM_PAUSE_MS);
    }
    throw new CommitUnknownError(
      "the connection to the database broke during a commit, and it cannot be found out whether that happened; " +
        "everything may be asked again",
      { cause },
    );
  }
}

/** Notes which promises are to be locked. */
function noting(wanted: Set<string>, query: Query): Query {
  return (text, values, name) => {
    if (text === LOCK_PROMISES) for (const id of values.flat()) wanted.add(String(id));
    return query(text, values, name);
  };
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "storage.postgres.url";
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}${port && `:${port}`}${pathname}`;
}

function ignore(): undefined {}
