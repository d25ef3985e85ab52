/** Puts an engine together: a store, a clock, settings. */
import { type Clock, steadyClock } from "./engine/clock.ts";
import type { Engine } from "./engine/engine.ts";
import { GroupCommitEngine } from "./engine/group-commit-engine.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { openingError } from "./stores/sqlite/errors.ts";
import { SqliteStore } from "./stores/sqlite/sqlite-store.ts";

/**
 * Longest that a task which nobody takes is left alone, in ms. Workers that poll are offered what waits for them from
 * memory; this is for what is not remembered.
 */
const RETRY_TIMEOUT_MS_MAX = 3_600_000;

export interface EngineOptions {
  /** File of the SQLite database, created when absent. Without it records live in memory and end with the process. */
  readonly path?: string | undefined;
  /** `full` (default): an answered write survives power loss. `normal`: it survives a crash of the process. */
  readonly synchronous?: "full" | "normal" | undefined;
  /** How long an offered task may stay unclaimed before it is offered again, in ms. Default 30,000. */
  readonly retryTimeoutMs?: number | undefined;
  /** Named in `execute` messages, so that push workers can call back. */
  readonly serverUrl?: string | undefined;
  /**
   * How long processes that held claims when the last engine on this file ended may take to connect again before
   * their work is offered to others, in ms. Default 0: right when that process held the claims itself.
   */
  readonly restartGraceMs?: number | undefined;
  /** Default: the machine's. A test may bring one that jumps. */
  readonly clock?: Clock | undefined;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly logger?: Logger | undefined;
}

/**
 * Opens an engine on a file or in memory.
 *
 * @throws StoreInUseError when another process has the file open; its message says which.
 * @throws StoreUnusableError when the file is not a database of ours, is newer than this version, is damaged,
 *   or cannot be opened or written.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const {
    path,
    synchronous = "full",
    retryTimeoutMs = 30_000,
    serverUrl,
    restartGraceMs = 0,
  } = options;
  const store = new SqliteStore({ ...(path === undefined ? {} : { path }), synchronous });
  const engine = new GroupCommitEngine({
    store,
    clock: options.clock ?? steadyClock(),
    settings: { retryTimeoutMs, retryTimeoutMsMax: RETRY_TIMEOUT_MS_MAX },
    serverUrl,
    restartGraceMs,
    logger: options.logger ?? jsonLogger("warn"),
  });
  try {
    await engine.start();
  } catch (error) {
    await engine.close();
    throw openingError(error, path ?? ":memory:");
  }
  return engine;
}
