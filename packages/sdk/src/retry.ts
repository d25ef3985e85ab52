/** When a step that failed is tried again. */
import { ResonateError } from "./errors.ts";

/** What travels of a policy, in the `retry` of an invocation. */
export interface EncodedRetryPolicy {
  readonly type: string;
  readonly data: Readonly<Record<string, number>>;
}

/** Decides whether and when a failed step is tried again. Use one of ours or write your own. */
export interface RetryPolicy {
  /**
   * How long to wait after the `attempt`th attempt (counted from 1) failed, in ms; `null` to give up.
   * A wait that would pass the promise's deadline is not made, whatever this says.
   */
  next(attempt: number): number | null;
  /** What to send to the process that runs the step. A `type` it does not know means its default policy. */
  encode(): EncodedRetryPolicy;
}

interface Limits {
  /** Wait after the first failure, in ms. Default 1,000; 0 tries again at once. */
  readonly delay?: number;
  /** Attempts after the first one. Default unlimited (up to the promise's deadline); 0 never tries again. */
  readonly maxRetries?: number;
}

/** The same wait after every failure. */
export class Constant implements RetryPolicy {
  readonly delay: number;
  readonly maxRetries: number;

  /** @throws ResonateError `ARGUMENT_INVALID`. */
  constructor({ delay = 1_000, maxRetries = Number.MAX_SAFE_INTEGER }: Limits = {}) {
    this.delay = wait("delay", delay);
    this.maxRetries = count("maxRetries", maxRetries);
  }

  next(attempt: number): number | null {
    return attempt > this.maxRetries ? null : this.delay;
  }

  encode(): EncodedRetryPolicy {
    return { type: "constant", data: { delay: this.delay, maxRetries: this.maxRetries } };
  }
}

/** A wait that grows by `delay` with every failure. */
export class Linear implements RetryPolicy {
  readonly delay: number;
  readonly maxRetries: number;

  /** @throws ResonateError `ARGUMENT_INVALID`. */
  constructor({ delay = 1_000, maxRetries = Number.MAX_SAFE_INTEGER }: Limits = {}) {
    this.delay = wait("delay", delay);
    this.maxRetries = count("maxRetries", maxRetries);
  }

  next(attempt: number): number | null {
    return attempt > this.maxRetries ? null : this.delay * attempt;
  }

  encode(): EncodedRetryPolicy {
    return { type: "linear", data: { delay: this.delay, maxRetries: this.maxRetries } };
  }
}

/** A wait of `delay * factor ** attempt`, at most `maxDelay`: 2 s, 4 s, 8 s, 16 s, 30 s, 30 s, … */
export class Exponential implements RetryPolicy {
  readonly delay: number;
  readonly factor: number;
  readonly maxRetries: number;
  readonly maxDelay: number;

  /** @throws ResonateError `ARGUMENT_INVALID`. */
  constructor({
    delay = 1_000,
    factor = 2,
    maxRetries = Number.MAX_SAFE_INTEGER,
    maxDelay = 30_000,
  }: Limits & {
    /** What each wait is multiplied by. Default 2. */
    readonly factor?: number;
    /** Longest wait, in ms. Default 30,000. */
    readonly maxDelay?: number;
  } = {}) {
    this.delay = wait("delay", delay);
    this.factor = wait("factor", factor);
    this.maxRetries = count("maxRetries", maxRetries);
    this.maxDelay = wait("maxDelay", maxDelay);
  }

  next(attempt: number): number | null {
    if (attempt > this.maxRetries) return null;
    // The power may overflow; 0 * Infinity would be NaN.
    if (this.delay === 0) return 0;
    return Math.min(this.delay * this.factor ** attempt, this.maxDelay);
  }

  encode(): EncodedRetryPolicy {
    const { delay, factor, maxRetries, maxDelay } = this;
    return { type: "exponential", data: { delay, factor, maxRetries, maxDelay } };
  }
}

/** One attempt only. */
export class Never implements RetryPolicy {
  next(): null {
    return null;
  }

  encode(): EncodedRetryPolicy {
    return { type: "never", data: {} };
  }
}

/**
 * Reads the `retry` of an invocation, whoever wrote it. `undefined` when it is none of the four policies or
 * its numbers make no sense: the reader's default applies then.
 */
export function decodeRetryPolicy(encoded: unknown): RetryPolicy | undefined {
  if (typeof encoded !== "object" || encoded === null || !("type" in encoded)) return undefined;
  const data = "data" in encoded ? numbersOf(encoded.data) : {};
  try {
    switch (encoded.type) {
      case "constant":
        return new Constant(data);
      case "linear":
        return new Linear(data);
      case "exponential":
        return new Exponential(data);
      case "never":
        return new Never();
    }
  } catch (error) {
    if (!(error instanceof ResonateError)) throw error;
  }
  return undefined;
}

/** The members of `data` that are numbers; the constructors judge them. */
function numbersOf(data: unknown): Record<string, number> {
  const entries = Object.entries(data ?? {});
  return Object.fromEntries(entries.filter(([, member]) => typeof member === "number"));
}

function wait(name: string, given: number): number {
  if (Number.isFinite(given) && given >= 0) return given;
  throw new ResonateError(
    "ARGUMENT_INVALID",
    `Retry policy: '${name}' must be a finite number of at least 0, got ${String(given)}.`,
  );
}

/** `Infinity` is allowed and stands for no limit; JSON would lose it. */
function count(name: string, given: number): number {
  if (given === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(given) && given >= 0) return given;
  throw new ResonateError(
    "ARGUMENT_INVALID",
    `Retry policy: '${name}' must be a whole number of at least 0, got ${String(given)}.`,
  );
}
