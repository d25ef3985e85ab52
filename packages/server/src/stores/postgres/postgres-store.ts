/**
 * Keeps records in PostgreSQL, which any number of servers share.
 *
 * I1. A transaction that met another one, or whose connection broke before its commit was sent, has written nothing and is
 *     run again, unseen by whoever asked for it.
 * I2. A commit whose answer was lost is looked up by its number before anything is said about it.
 * I3. The stored floor of the clock is never below the instant of a committed transaction.
 */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import type { Snapshot, StoredTask } from "../../core/records.ts";
import { promiseOf, taskOf } from "../rows.ts";
import {
  type Due,
  type OldTrees,
  type Pending,
  type Store,
  StoreDamagedError,
  StoreUnavailableError,
  StoreUnknownError,
  type Transaction,
} from "../store.ts";
import { readDue } from "./due.ts";
import { isCollision, isUnreachable, lastingError, Overtaken, openingError } from "./errors.ts";
import { RowNumbers } from "./row-numbers.ts";
import { migrate } from "./schema.ts";
import { snapshot } from "./snapshot.ts";
import { DELETE_ALL, DUE, HELD, HELD_BY, PENDING, RAISE_FLOOR, STATUS_OF } from "./statements.ts";
import { PostgresTransaction, type Query, queryOn } from "./transaction.ts";
import { findOldTrees } from "./trees.ts";

export interface PostgresOptions {
  /** As `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Most connections. */
  readonly poolSize: number;
  /** Whether statements are prepared; not behind a pooler that gives each transaction another connection. Default true. */
  readonly prepare?: boolean | undefined;
}

/** How often a transaction that meets others is run again before it is given up. */
const COLLISIONS_MAX = 50;
/** How long a database that cannot be reached is tried before a request is answered with 503, in ms. */
const UNREACHABLE_MS = 5_000;
/** How long a transaction waits for another's lock before both are taken for a deadlock, in ms. */
const LOCK_TIMEOUT_MS = 500;
/** How long the outcome of a commit is asked for, in ms, and how often. */
const CONFIRM_MS = 30_000;
const CONFIRM_PAUSE_MS = 100;
/** How far ahead of its instant a transaction puts the floor of the clock, in ms, so that few have to write it. */
const FLOOR_AHEAD_MS = 1_000;
/** PostgreSQL's number of the type bigint. */
const INT8 = 20;

export class PostgresStore implements Store {
  readonly clockFloor: number;
  readonly #pool: pg.Pool;
  readonly #prepare: boolean;
  #floor: number;
  readonly #numbers = new RowNumbers();
  #writable = true;
  #tail: Promise<unknown> = Promise.resolve();

  /** @throws StoreUnusableError when the database cannot be reached or used. */
  static async open(options: PostgresOptions): Promise<PostgresStore> {
    const { url, poolSize, prepare = true } = options;
    const pool = new pg.Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: UNREACHABLE_MS,
      types: { getTypeParser },
    });
    // An idle connection that breaks is replaced by the next one; whoever uses one hears of it by its query.
    pool.on("error", () => {});
    try {
      const client = await pool.connect();
      try {
        await migrate(client);
        const { rows } = await client.query(
          "SELECT value FROM resonate.meta WHERE name = 'clock_floor'",
        );
        return new PostgresStore(pool, { prepare, floor: Number(rows[0]?.value ?? 0) });
      } finally {
        client.release();
      }
    } catch (error) {
      await pool.end();
      throw openingError(error, withoutPassword(url));
    }
  }

  private constructor(
    pool: pg.Pool,
    { prepare, floor }: { readonly prepare: boolean; readonly floor: number },
  ) {
    this.#pool = pool;
    this.#prepare = prepare;
    this.#floor = floor;
    this.clockFloor = floor;
  }

  get writable(): boolean {
    return this.#writable;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    const result = this.#tail.then(() => this.#persist(work, at));
    this.#tail = result.catch(() => {});
    return result;
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
    await this.#pool.end();
  }

  async #read(text: string, values: readonly unknown[], name: string) {
    const query = queryOn(this.#pool, { prepare: this.#prepare });
    return this.#patiently(() => query(text, values, name));
  }

  /** Runs a transaction until it has not met another one. */
  async #persist<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    for (let collisions = 0; ; collisions++) {
      try {
        const value = await this.#patiently(() => this.#transact(work, at));
        this.#writable = true;
        return value;
      } catch (error) {
        if (!isCollision(error) || collisions === COLLISIONS_MAX) throw this.#lasting(error);
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

  async #transact<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      // Not waited for: whatever is asked next waits for it anyway.
      const begun = client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      begun.catch(() => {});
      const query = queryOn(client, { prepare: this.#prepare });
      const tx = new PostgresTransaction(query, this.#numbers);
      const value = await work(tx);
      await begun;
      await this.#commit(query, { tx, at });
      return value;
    } catch (error) {
      if (isUnreachable(error)) broken = error;
      else broken = await client.query("ROLLBACK").then(ignore, (failure: Error) => failure);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #commit(
    query: Query,
    { tx, at }: { readonly tx: PostgresTransaction; readonly at: number },
  ): Promise<void> {
    const raised = tx.number !== undefined && at > this.#floor ? at + FLOOR_AHEAD_MS : undefined;
    if (raised !== undefined) await query(RAISE_FLOOR, [raised], "raise floor");
    try {
      await query("COMMIT", [], "commit");
    } catch (error) {
      if (tx.number === undefined || !isUnreachable(error)) throw error;
      await this.#confirm(tx.number, error);
    }
    this.#floor = Math.max(this.#floor, raised ?? 0);
  }

  /** Finds out what became of a commit whose answer was lost. */
  async #confirm(number: string, cause: unknown): Promise<void> {
    const until = performance.now() + CONFIRM_MS;
    while (performance.now() < until) {
      const status = await this.#statusOf(number);
      if (status === "committed") return;
      if (status === "aborted") throw new Overtaken("the connection broke before the commit");
      await wait(CONFIRM_PAUSE_MS);
    }
    throw new StoreUnknownError(
      "the connection broke during a commit, and the database did not come back to say what became of it",
      { cause },
    );
  }

  async #statusOf(number: string): Promise<string | undefined> {
    try {
      const query = queryOn(this.#pool, { prepare: this.#prepare });
      const [row] = await query(STATUS_OF, [number], "status");
      return row?.["status"] === null ? undefined : String(row?.["status"]);
    } catch (error) {
      // A server that does not know of it yet has not committed it: another one was promoted.
      return isUnreachable(error) ? undefined : "aborted";
    }
  }
}

/** 64-bit integers as numbers: all that are stored are instants and counts. Others as the driver reads them. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  oid === INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format);

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "storage.postgres.url";
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}${port && `:${port}`}${pathname}`;
}

function ignore(): undefined {}
