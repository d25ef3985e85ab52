/** Puts an engine together: a store, a clock, settings. */
import { type Clock, type SharedClock, sharedClock, steadyClock } from "./engine/clock.ts";
import { DebugEngine } from "./engine/debug-engine.ts";
import type { Engine, Observer } from "./engine/engine.ts";
import { GroupCommitEngine } from "./engine/group-commit-engine.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { MemoryStore } from "./stores/memory/memory-store.ts";
import { openingError } from "./stores/sqlite/errors.ts";
import { SqliteStore } from "./stores/sqlite/sqlite-store.ts";
import type { Store } from "./stores/store.ts";
import type { Pusher } from "./transports/router.ts";

/**
 * Longest that a task which nobody takes is left alone, in ms. Workers that poll are offered what waits for them from
 * memory; this is for what is not remembered.
 */
const RETRY_TIMEOUT_MS_MAX = 3_600_000;

/** A clock that is further ahead of the machine's, in ms, is worth a warning. */
const CLOCK_AHEAD_MS = 2_000;

export interface EngineOptions {
  /** File of the SQLite database, created when absent. Without it records live in memory and end with the process. */
  readonly path?: string | undefined;
  /** A database in PostgreSQL, in place of a file; engines of other processes may share it. */
  readonly postgres?: PostgresLocation | undefined;
  /** `full` (default): an answered write survives power loss. `normal`: it survives a crash of the process. */
  readonly synchronous?: "full" | "normal" | undefined;
  /** How long an offered task may stay unclaimed before it is offered again, in ms. Default 30,000. */
  readonly retryTimeoutMs?: number | undefined;
  /** Named in `execute` messages, so that push workers can call back. */
  readonly serverUrl?: string | undefined;
  /**
   * Brings messages to `http://` and `https://` addresses; the engine closes it. Default: none, and such messages wait
   * for an engine that has one.
   */
  readonly push?: Pusher | undefined;
  /**
   * How long processes that held claims when the last engine on this file ended may take to connect again before
   * their work is offered to others, in ms. Default 0: right when that process held the claims itself.
   */
  readonly restartGraceMs?: number | undefined;
  /**
   * How long ago a tree of promises must have ended to be forgotten, in ms: all of them settled, or past their
   * deadline, and nobody waiting for one. Absent: nothing is ever forgotten.
   */
  readonly retentionAgeMs?: number | undefined;
  /**
   * Whether the promise of one of the tasks that wait for each other, and for nothing else, is rejected. Default true; a
   * test of the bare protocol, which says nothing of it, may leave them waiting.
   */
  readonly breakCycles?: boolean | undefined;
  /** Lets clients stop, move and wipe the engine. Never where somebody relies on it. Default false. */
  readonly debug?: boolean | undefined;
  /** Default: the machine's. A test may bring one that jumps. */
  readonly clock?: Clock | undefined;
  /** About how many bytes of records one answer may hold. Default 8 MiB. */
  readonly replyBytesMax?: number | undefined;
  /** Sees each commit, for metrics. */
  readonly observer?: Observer | undefined;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly logger?: Logger | undefined;
}

export interface PostgresLocation {
  /** As `postgres://user:password@host:port/database`. Tables are made in its schema `resonate`. */
  readonly url: string;
  /** Most connections, besides one that listens to other engines. At least 2, default 10. */
  readonly poolSize?: number | undefined;
  /** Whether a pooler gives each transaction another connection. Engines then do without hints to each other. Default false. */
  readonly pooler?: boolean | undefined;
}

/**
 * Opens an engine on a file, in PostgreSQL, or in memory.
 *
 * @throws StoreInUseError when another process has the file open; its message says which.
 * @throws StoreUnusableError when the file is not a database of ours, is newer than this version, is damaged,
 *   or cannot be opened or written; or when the database in PostgreSQL cannot be reached or used.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const {
    path,
    synchronous = "full",
    retryTimeoutMs = 30_000,
    serverUrl,
    restartGraceMs = 0,
    logger = jsonLogger("warn"),
  } = options;
  const { store, clock } = await openStore({ ...options, synchronous }, logger);
  const engine = new (options.debug ? DebugEngine : GroupCommitEngine)({
    store,
    clock,
    settings: { retryTimeoutMs, retryTimeoutMsMax: RETRY_TIMEOUT_MS_MAX },
    serverUrl,
    push: options.push,
    restartGraceMs,
    retentionAgeMs: options.retentionAgeMs,
    breakCycles: options.breakCycles,
    observer: options.observer,
    replyBytesMax: options.replyBytesMax,
    logger,
  });
  try {
    await engine.start();
  } catch (error) {
    await engine.close();
    throw openingError(error, path ?? "memory");
  }
  return engine;
}

interface Opened {
  readonly store: Store;
  readonly clock: Clock;
}

async function openStore(
  { path, postgres, synchronous = "full", clock }: EngineOptions,
  logger: Logger,
): Promise<Opened> {
  if (postgres) return openPostgres(postgres, clock, logger);
  const store = path === undefined ? new MemoryStore() : new SqliteStore({ path, synchronous });
  return { store, clock: clock ?? clockFrom(store, logger) };
}

/** The database's clock is that of all engines on it. */
async function openPostgres(
  { url, poolSize = 10, pooler = false }: PostgresLocation,
  given: Clock | undefined,
  logger: Logger,
): Promise<Opened> {
  let shared: SharedClock | undefined;
  const time = (instant: number) => shared?.heard(instant) ?? given?.now() ?? instant;
  // Servers on a file do without its driver.
  const { PostgresStore } = await import("./stores/postgres/postgres-store.ts");
  const store = await PostgresStore.open({ url, poolSize, shared: { sessions: !pooler, time } });
  if (given) return { store, clock: given };
  shared = sharedClock({ instant: store.openedAt, floor: store.clockFloor }, (ms) => {
    logger.warn({ ms }, "the database's clock was set; this server goes on with the time it had");
  });
  return { store, clock: shared };
}

/** A clock that goes on where the last one on this store stopped. */
function clockFrom({ clockFloor }: Store, logger: Logger): Clock {
  const clock = steadyClock(clockFloor);
  const aheadMs = clock.now() - Date.now();
  if (aheadMs > CLOCK_AHEAD_MS) {
    logger.warn(
      { aheadMs },
      "the clock of this machine was set back since the last start; the server's time goes on from then",
    );
  }
  return clock;
}
