/**
 * Decides what becomes of a task whose pass ended for another reason than its program's outcome.
 *
 * I1. It is never tried in a hot loop: each try waits longer than the one before.
 * I2. What only the server, the way to it, or whoever has the keys can mend is tried for ever. What the code has to mend is tried a bounded
 *     number of times, by all processes together where the server counts, and then stopped until somebody continues it.
 */
import type { Clock } from "../core/clock.ts";
import { isResonateError, reasonOf, ServerRefusedError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Held } from "./claims.ts";

/** How many claims of a task in a row may end without a verdict. */
export const FAILURES_MAX = 5;
const DELAY_MS_FIRST = 1_000;
const DELAY_MS_MAX = 30_000;
/** Most tasks that are remembered; the oldest is forgotten first. */
const TASKS_MAX = 10_000;

/** What to do with a claim after a fault. */
export type Measure =
  /** Give it back after a while; with a cause it counts as a failure. */
  | { readonly kind: "release"; readonly delayMs: number; readonly cause?: string }
  | { readonly kind: "halt"; readonly cause: string };

export interface Failed {
  readonly id: string;
  readonly error: unknown;
  /** How many claims in a row had failed before, as the server counts; absent where it does not. */
  readonly failures: number | undefined;
  /** How many of them were not begun by this process. */
  readonly losses: number;
  /** Its function was called: so it is registered here. */
  readonly called: boolean;
}

interface Fault {
  /** How many passes in a row ended here so, for whatever reason. */
  readonly count: number;
  /** How many of them the code has to answer for. */
  readonly counted: number;
  readonly message: string;
  /** Until when offers of the task are declined, as the clock counts. */
  readonly declinedUntil: number;
}

const NONE: Fault = { count: 0, counted: 0, message: "", declinedUntil: 0 };

export class Faults {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #faults = new Map<string, Fault>();

  constructor({ logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** What to do now. Logs a fault, once as long as it stays the same. */
  measure(failed: Failed): Measure {
    const { id, error, called, failures = Number.POSITIVE_INFINITY, losses } = failed;
    const before = this.#faults.get(id) ?? NONE;
    const count = before.count + 1;
    const counts = !isPassing(error) && !(isMissing(error) && !called);
    // Where the server has counted less somebody else has got on with it meanwhile.
    const counted = Math.min(before.counted, failures) + (counts ? 1 : 0);
    const tries = counted + losses;
    const attempt = Math.max(count, tries);
    const message = reasonOf(error);
    const delayMs = Math.min(DELAY_MS_FIRST * 2 ** (attempt - 1), DELAY_MS_MAX);
    const others = isMissing(error) && (!called || attempt === 1);
    this.#remember(id, {
      count,
      counted,
      message,
      declinedUntil: isMissing(error) ? this.#clock.now() + delayMs : 0,
    });
    if (counts && tries >= FAILURES_MAX) return this.halt(id, { tries, error });
    const log = message === before.message ? this.#logger.debug : this.#logger.error;
    log.call(
      this.#logger,
      { id, error, attempt, retryMs: delayMs },
      `'${id}' could not go on and is tried again later; nothing was settled. ${message}`,
    );
    // What others may be able to run is not kept from them.
    return {
      kind: "release",
      delayMs: others ? 0 : delayMs,
      ...(counts && { cause: causeOf(error) }),
    };
  }

  /** A task that is not tried any more. */
  halt(id: string, { tries, error }: { readonly tries: number; readonly error: unknown }): Measure {
    this.#faults.delete(id);
    const cause = causeOf(error);
    this.#logger.error(
      { id, error, attempt: tries },
      `'${id}' is halted: ${tries} tries in a row ended without a result; nothing was settled. ${reasonOf(error)} When that is mended, let it go on: resonate.tasks.continue("${id}"), or 'resonate tasks continue ${id}' on the command line.`,
    );
    return { kind: "halt", cause };
  }

  /** Whether an offer of this task is for others to take, for now. */
  declines(id: string): boolean {
    const fault = this.#faults.get(id);
    return fault !== undefined && fault.declinedUntil > this.#clock.now();
  }

  /** The task went on. */
  clear(id: string): void {
    this.#faults.delete(id);
  }

  #remember(id: string, fault: Fault): void {
    this.#faults.delete(id);
    this.#faults.set(id, fault);
    if (this.#faults.size <= TASKS_MAX) return;
    const oldest = this.#faults.keys().next();
    if (!oldest.done) this.#faults.delete(oldest.value);
  }
}

/** A pass that ended with an error of its own. */
export function faultOf({ id, failures, losses, execution }: Held, error: unknown): Failed {
  return { id, error, failures, losses, called: execution.called };
}

/** A function, or a version of it, that is not registered here. Others may have it. */
function isMissing(error: unknown): boolean {
  return (
    isResonateError(error, "FUNCTION_NOT_REGISTERED") ||
    isResonateError(error, "VERSION_NOT_REGISTERED")
  );
}

/** Statuses that say nothing about the request itself. */
const PASSING = [401, 403, 429];

/** What goes by: the server or the keys cannot be had now. */
const PASSING_CODES = ["SERVER_UNREACHABLE", "STOPPED", "ENCRYPTOR_FAILED"];

/** No fault of the code: the server is away, or does not let us. */
function isPassing(error: unknown): boolean {
  if (PASSING_CODES.some((code) => isResonateError(error, code))) return true;
  return (
    error instanceof ServerRefusedError && (PASSING.includes(error.status) || error.status >= 500)
  );
}

function causeOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${reasonOf(error)}` : reasonOf(error);
}
