/**
 * Has the log moved into the database by a thread of its own, so that commits need not wait for it.
 *
 * SQLite begins a log again at its start only when all of it has been moved and nothing was added meanwhile. So a log
 * that has grown is moved while commits go on; and then, while they wait, the little that they added.
 *
 * I1. A move that fails loses nothing, the log is still there. But the disk cannot be believed any more: the store takes
 *     no transaction after it. A full disk is no failure: the log stays until there is room.
 * I2. The thread starts with the first long log. It keeps the process alive only while commits wait for it.
 */
import { extname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { StoreUnknownError } from "../store.ts";
import { SQLITE_BUSY, SQLITE_FULL } from "./errors.ts";

/** Pages in the log after which it is moved. */
const PAGES = 4_000;
/** Commits wait for the move under way when the log has grown by so many times that since the round began: the disk is slow. */
const TIMES_MAX = 3;
/** The log is looked at when it may have grown by this share of what begins a round. */
const LOOK_SHARE = 1 / 8;
/** Moves while commits go on; each leaves a fraction of what the one before left. */
const MOVES_BESIDE = 2;
/** Pages that SQLite's own checkpoints wait for, where there is no thread. */
const PAGES_WITHOUT_THREAD = 8_000;

/** What the thread's JavaScript may take, in MB: it makes next to nothing. */
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** What the thread is started with. */
export interface CheckpointThreadData {
  readonly path: string;
  readonly synchronous: "FULL" | "NORMAL";
}

/** What the thread is told: one answer follows `move`, the thread's end follows `close`. */
export type Order = "move" | "close";

export type Moved =
  /** `all`: of what was in the log when it began. Readers that see an older state keep what came after that. */
  | { readonly kind: "moved"; readonly all: boolean }
  /** `code`: SQLite's primary result code. */
  | { readonly kind: "failed"; readonly code: number | undefined; readonly message: string };

const NOT_MOVED: Moved = { kind: "moved", all: false };

export interface CheckpointsOptions extends CheckpointThreadData {
  readonly db: DatabaseSync;
  /** Does `work` between two transactions. */
  readonly between: (work: () => Promise<void>) => Promise<void>;
  /** Default `PAGES`. */
  readonly pages?: number | undefined;
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #pages: number;
  readonly #look: StatementSync;
  #thread: Worker | undefined;
  /** Gives the answer that the thread owes. */
  #answer: (moved: Moved) => void = () => {};
  /** The move under way. */
  #move: Promise<Moved> | undefined;
  /** All that belongs together: moves beside commits, and the one that they wait for. */
  #round: Promise<void> | undefined;
  /** Pages that may have been written since the log was looked at. */
  #unseen = 0;
  /** Pages that are not moved at which the next round begins. */
  #beginAt: number;
  /** Commits have waited in this round: the next move is its last one. */
  #late = false;
  #ended = false;
  #failure: StoreUnknownError | undefined;

  constructor(options: CheckpointsOptions) {
    const { db, pages = PAGES } = options;
    this.#options = options;
    this.#pages = pages;
    this.#beginAt = pages;
    db.exec("PRAGMA wal_autocheckpoint = 0");
    // Moves nothing, and says how much there is to move.
    this.#look = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  }

  /** @throws StoreUnknownError when a move has failed. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** A transaction has been committed, which may have written so many `pages`; about. */
  committed(pages: number): void {
    this.#unseen += pages;
    if (this.#unseen < this.#pages * LOOK_SHARE) return;
    this.#unseen = 0;
    const unmoved = this.#unmoved();
    if (unmoved < this.#beginAt || this.#ended) return;
    if (!this.#round) {
      this.#round = this.#moveAll().finally(() => {
        this.#round = undefined;
      });
    } else if (unmoved >= this.#beginAt + TIMES_MAX * this.#pages && !this.#late) {
      this.#late = true;
      void this.#whileCommitsWait(async () => this.#move);
    }
  }

  /** Ends the thread. What is not moved is moved when the database is closed. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#thread?.ref();
    await this.#round;
    const thread = this.#thread;
    if (!thread) return;
    const exited = new Promise((resolve) => thread.once("exit", resolve));
    thread.postMessage("close" satisfies Order);
    await exited;
  }

  /** Not within a transaction. */
  #unmoved(): number {
    const row = this.#look.get();
    return Number(row?.["log"]) - Number(row?.["checkpointed"]);
  }

  async #moveAll(): Promise<void> {
    for (let moves = 0; moves < MOVES_BESIDE && !this.#late; moves++) await this.#moveOnce();
    await this.#whileCommitsWait(async () => {
      const all = await this.#moveOnce();
      // What a reader keeps from being moved is not worth a try with each commit.
      this.#beginAt = this.#pages + (all ? 0 : this.#unmoved());
    });
    this.#late = false;
  }

  async #whileCommitsWait(work: () => Promise<unknown>): Promise<void> {
    await this.#options.between(async () => {
      this.#thread?.ref();
      await work();
      if (!this.#ended) this.#thread?.unref();
    });
  }

  /** Whether all was moved that was in the log when the move began. */
  async #moveOnce(): Promise<boolean> {
    if (this.#ended || this.#failure) return false;
    this.#thread ??= this.#start();
    const { promise, resolve } = Promise.withResolvers<Moved>();
    this.#answer = resolve;
    this.#move = promise;
    this.#thread?.postMessage("move" satisfies Order);
    const moved = this.#thread ? await promise : NOT_MOVED;
    if (moved.kind === "moved") return moved.all;
    if (moved.code !== SQLITE_BUSY && moved.code !== SQLITE_FULL) {
      this.#failure = new StoreUnknownError(
        `the log could not be moved into the database (${moved.message}); what was written last is unknown`,
      );
    }
    return false;
  }

  #start(): Worker | undefined {
    const { path, synchronous } = this.#options;
    const workerData: CheckpointThreadData = { path, synchronous };
    // Sources and what is built of them have the same names but for their ends.
    const file = new URL(`./checkpoint-thread${extname(import.meta.url)}`, import.meta.url);
    try {
      const thread = new Worker(file, { workerData, execArgv: [], resourceLimits: HEAP });
      thread.on("message", (moved: Moved) => this.#answer(moved));
      thread.on("error", () => this.#withoutThread());
      thread.unref();
      return thread;
    } catch {
      this.#withoutThread();
      return undefined;
    }
  }

  /** There can be none (a program in one file, say, or one that may not have any): commits move the log themselves. */
  #withoutThread(): void {
    this.#options.db.exec(`PRAGMA wal_autocheckpoint = ${PAGES_WITHOUT_THREAD}`);
    this.#thread = undefined;
    this.#ended = true;
    this.#answer(NOT_MOVED);
  }
}
