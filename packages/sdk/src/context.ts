/** What a durable function can do durably: the documented interface, nothing else. */
import type { Begun, Future } from "./future.ts";
import type { OptionInput, Options } from "./options.ts";

/**
 * A function that can be run durably: plain, async or a generator. Plain and async functions that start
 * nothing durable are leaves (retried when they throw); the others are workflows (replayed, never retried).
 */
// biome-ignore lint/suspicious/noExplicitAny: parameters of any type, in both variances; a program's own types are inferred from it.
export type DurableFunction = (ctx: Context, ...args: any[]) => any;

/** The parameters of a durable function after its context. */
// biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
export type Arguments<F> = F extends (ctx: any, ...args: infer A) => any ? A : never;

/** The arguments of a call: the function's own, then options if wanted. */
export type CallArguments<F> = [...Arguments<F>, Options?];

/** What a durable function gives, whatever its style; what a future gives, where it returns one. */
// biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
export type Result<F> = F extends (...args: any[]) => Generator<any, infer T, any>
  ? Awaited<T>
  : // biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
    F extends (...args: any[]) => infer R
    ? Awaited<R>
    : never;

/** Facts about this call. */
export interface CallInfo {
  /** Counts from 1 the attempts made in this process. */
  readonly attempt: number;
  /** The deadline of this call's promise, in ms since the epoch. */
  readonly timeout: number;
  /** The version of the function. */
  readonly version: number;
}

export interface PromiseOptions {
  /** Time from now to its deadline, in ms. Default 24 hours; never past the caller's own deadline. */
  readonly timeout?: number;
  /** Put into the promise's param, for whoever settles it. */
  readonly data?: unknown;
  readonly tags?: Readonly<Record<string, string>>;
}

/** How long to sleep: a time from now, or an instant. */
export interface SleepOptions {
  /** Milliseconds from now. */
  readonly for?: number;
  readonly until?: Date;
}

/** Ends the pass or lets it go on; in a generator `yield*` it. */
export interface Check {
  [Symbol.iterator](): Generator<Future<unknown>, void, unknown>;
}

/**
 * Given to every durable function as its first parameter.
 *
 * Every operation starts when it is called and is named by the order in which this function starts things,
 * so the same code started again finds what it did before and does not do it again. Take time, randomness
 * and I/O through operations, never on the side.
 *
 * A function given by name to `run` must be registered here; one given by value need not be. `rpc` and
 * `detached` are the other way round: what is given by value must be registered, a name is looked up where
 * it runs. Options go last: `ctx.options({ … })`.
 */
export interface Context {
  /** Id of the durable promise that this call settles. */
  readonly id: string;
  /** The root of the tree this call belongs to. */
  readonly originId: string;
  /** The promise whose function started this one; its own id at a root. */
  readonly parentId: string;
  /** The claimed task that runs this call. */
  readonly branchId: string;
  readonly info: CallInfo;
  /**
   * Fires when the work is pointless: the deadline has passed, the claim was lost, the process stops. Hand it
   * to `fetch` and the like. What a function does after it has fired is not recorded.
   */
  readonly signal: AbortSignal;

  /**
   * Calls `fn` here, once, and remembers its outcome.
   *
   * @throws what `fn` threw, where it is waited for, once its retries are used up.
   */
  run<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Future<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  run<T = any>(name: string, ...args: any[]): Future<T>;

  /** `run`, where `yield*` gives the future instead of the value. */
  beginRun<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRun<T = any>(name: string, ...args: any[]): Begun<T>;

  /** Calls a registered function on any process of the option `target`. */
  rpc<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Future<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  rpc<T = any>(name: string, ...args: any[]): Future<T>;

  /** `rpc`, where `yield*` gives the future instead of the value. */
  beginRpc<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRpc<T = any>(name: string, ...args: any[]): Begun<T>;

  /**
   * Like `beginRpc`, but it outlives this call: its deadline is its own, and this call finishes without
   * waiting for it. Waiting for it is allowed.
   */
  detached<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  detached<T = any>(name: string, ...args: any[]): Begun<T>;

  /** The same as `beginRun`. */
  readonly lfi: Context["beginRun"];
  /** The same as `run`. */
  readonly lfc: Context["run"];
  /** The same as `beginRpc`. */
  readonly rfi: Context["beginRpc"];
  /** The same as `rpc`. */
  readonly rfc: Context["rpc"];

  /** Waits, durably: counted from the first time this line ran. `sleep(ms)`, `sleep({ for })` or `sleep({ until })`. */
  sleep(time: number | SleepOptions): Future<void>;

  /** A promise that somebody outside settles, by its `id`: `resonate.promises.resolveValue(id, value)`. */
  // biome-ignore lint/suspicious/noExplicitAny: whoever settles it decides; the caller may say what it expects.
  promise<T = any>(options?: PromiseOptions): Begun<T>;

  readonly date: {
    /** The time, in ms since the epoch, the same at every replay. */
    now(): Future<number>;
  };
  readonly math: {
    /** A number from 0 up to 1, the same at every replay. */
    random(): Future<number>;
  };

  /** Gives up this pass when `condition` holds: nothing is settled; the task is tried again later. */
  panic(condition: boolean, message?: string): Check;
  /** Gives up this pass unless `condition` holds: nothing is settled; the task is tried again later. */
  assert(condition: boolean, message?: string): Check;

  /** What was given to `resonate.setDependency(name, …)`; `undefined` if nothing was. */
  // biome-ignore lint/suspicious/noExplicitAny: a dependency may be anything; the caller may say what it expects.
  getDependency<T = any>(name: string): T | undefined;

  /**
   * Options for one call, to be its last argument.
   *
   * @throws ResonateError `ARGUMENT_INVALID`, `ID_INVALID` or `VERSION_INVALID`, naming the field.
   */
  options(fields?: OptionInput): Options;
}
