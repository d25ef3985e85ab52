/** What a durable function can do durably: the documented interface, nothing else. */
import type { EagerContext } from "./eager-context.ts";
import type { Begun, Future } from "./future.ts";
import type { OptionInput, Options } from "./options.ts";

/**
 * A function that can be run durably: plain, async or a generator. Plain and async functions that start
 * nothing durable are leaves (retried when they throw); the others are workflows (replayed, never retried).
 */
// biome-ignore lint/suspicious/noExplicitAny: parameters of any type, in both variances; a program's own types are inferred from it.
export type DurableFunction = (ctx: Context & EagerContext, ...args: any[]) => any;

/** Functions by name, as a program declares them to have calls by name checked: `Resonate<{ add: typeof add }>`. */
export type Functions = Readonly<Record<string, DurableFunction>>;

/** The names that are declared; none where a program declares nothing. */
export type KnownName<R> = string extends keyof R ? never : keyof R & string;

/** Any name, where a program declares nothing. */
export type FreeName<R> = string extends keyof R ? string : never;

/** The parameters of a durable function after its context. */
// biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
export type Arguments<F> = F extends (ctx: any, ...args: infer A) => any ? A : never;

/** The arguments of a call: the function's own, then options if wanted. */
export type CallArguments<F> = [...Arguments<F>, Options?];

/** What a durable function gives, whatever its style; what a future gives, where it returns one. */
// biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
export type Result<F> = F extends (...args: any[]) => infer R
  ? [R] extends [never]
    ? never
    : // biome-ignore lint/suspicious/noExplicitAny: only matches; nothing of this type reaches a program.
      R extends Generator<any, infer T, any>
      ? Awaited<T>
      : Awaited<R>
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

/** How `ctx.map` goes through its items. */
export interface MapOptions<I> {
  /** Most items under way at a time, at least 1. The next one starts as soon as one has settled. Default 100. */
  readonly concurrency?: number;
  /**
   * `throw` (the default): after a failure no further item starts; those under way are waited for, and the error of
   * the first failed item in their order is thrown. `collect`: all items are called, and each gives its outcome as
   * `Promise.allSettled` shows it.
   */
  readonly onError?: "throw" | "collect";
  /** Whether items are called as by `ctx.run` (the default) or by `ctx.rpc`. */
  readonly via?: "run" | "rpc";
  /** Options of the calls: of all, or of each. */
  readonly options?: Options | ((item: I, index: number) => Options | undefined);
}

/** How a combinator treats what it no longer needs. */
export interface CombineOptions {
  /**
   * Whether parts that are still pending when the outcome is decided are canceled, with everything that was started for
   * them. `ctx.signal` fires in what runs. Parts with an id of their own and detached calls go on. Default false.
   */
  readonly cancelLosers?: boolean;
}

/** What combinators give for their parts: the value of each future. */
export type Values<P extends readonly unknown[]> = { -readonly [K in keyof P]: Awaited<P[K]> };

/** The outcome of each future, as `Promise.allSettled` shows it. */
export type Outcomes<P extends readonly unknown[]> = {
  -readonly [K in keyof P]: PromiseSettledResult<Awaited<P[K]>>;
};

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
export interface Context<R = Functions> {
  /** Id of the durable promise that this call settles. */
  readonly id: string;
  /** The root of the tree this call belongs to. */
  readonly originId: string;
  /** The promise whose function started this one; its own id at a root. */
  readonly parentId: string;
  /** The claimed task that runs this call. */
  readonly branchId: string;
  readonly info: CallInfo;
  /** Name of the function. */
  readonly func: string;
  /** The deadline of this call's promise, in ms since the epoch: `info.timeout`. */
  readonly timeoutAt: number;
  /** As in `info`. */
  readonly attempt: number;
  /** As in `info`. */
  readonly version: number;
  /**
   * Fires when the work is pointless: it was canceled, its deadline has passed, the claim was lost, the process stops.
   * Hand it to `fetch` and the like; its `reason` says which (PromiseCanceledError, PromiseTimedoutError, LeaseLostError,
   * ResonateError `STOPPED`). What a function does after it has fired is not recorded.
   */
  readonly signal: AbortSignal;

  /**
   * Calls `fn` here, once, and remembers its outcome.
   *
   * @throws what `fn` threw, where it is waited for, once its retries are used up.
   */
  run<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Future<Result<F>>;
  run<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Future<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  run<T = any>(name: FreeName<R>, ...args: any[]): Future<T>;

  /** `run`, where `yield*` gives the future instead of the value. */
  beginRun<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  beginRun<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Begun<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRun<T = any>(name: FreeName<R>, ...args: any[]): Begun<T>;

  /** Calls a registered function on any process of the option `target`. */
  rpc<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Future<Result<F>>;
  rpc<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Future<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  rpc<T = any>(name: FreeName<R>, ...args: any[]): Future<T>;

  /** `rpc`, where `yield*` gives the future instead of the value. */
  beginRpc<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  beginRpc<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Begun<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRpc<T = any>(name: FreeName<R>, ...args: any[]): Begun<T>;

  /**
   * Like `beginRpc`, but it outlives this call: its deadline is its own, and this call finishes without
   * waiting for it. Waiting for it is allowed.
   */
  detached<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Begun<Result<F>>;
  detached<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Begun<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  detached<T = any>(name: FreeName<R>, ...args: any[]): Begun<T>;

  /** The same as `beginRun`. */
  readonly lfi: Context<R>["beginRun"];
  /** The same as `run`. */
  readonly lfc: Context<R>["run"];
  /** The same as `beginRpc`. */
  readonly rfi: Context<R>["beginRpc"];
  /** The same as `rpc`. */
  readonly rfc: Context<R>["rpc"];

  /**
   * The values of all parts, in their order; a rejected part is thrown at once. Parts are futures of this execution, or
   * values. The parts that are still under way go on, and this function does not finish before they have.
   *
   * @throws what the part throws that is rejected first (the same one in every replay); ResonateError
   *   `ARGUMENT_INVALID` for a promise that is not durable.
   */
  all<const P extends readonly unknown[]>(parts: P, options?: CombineOptions): Future<Values<P>>;
  all<T>(parts: Iterable<T>, options?: CombineOptions): Future<Awaited<T>[]>;

  /** The outcomes of all parts, in their order. Parts as in `all`. */
  allSettled<const P extends readonly unknown[]>(parts: P): Future<Outcomes<P>>;
  allSettled<T>(parts: Iterable<T>): Future<PromiseSettledResult<Awaited<T>>[]>;

  /**
   * The outcome of the part that settles first. Which one that was is on record, so every replay goes the same way.
   * Parts as in `all`; of no parts it rejects with ResonateError `ARGUMENT_INVALID`.
   */
  race<T>(parts: Iterable<T>, options?: CombineOptions): Future<Awaited<T>>;

  /**
   * The value of the part that succeeds first, on record as in `race`; an `AggregateError` with all errors, in the
   * order of the parts, when none does. Parts as in `all`.
   */
  any<T>(parts: Iterable<T>, options?: CombineOptions): Future<Awaited<T>>;

  /**
   * Calls `fn` with each item, a bounded number at a time, and gives the results in the order of the items.
   *
   * @throws what the first failed item in their order threw, unless `onError` is `collect`; ResonateError
   *   `ARGUMENT_INVALID`, naming the option.
   */
  map<I, T>(
    items: Iterable<I>,
    fn: (ctx: Context, item: I) => T,
    options: MapOptions<I> & { readonly onError: "collect" },
  ): Future<PromiseSettledResult<Result<() => T>>[]>;
  map<I, T>(
    items: Iterable<I>,
    fn: (ctx: Context, item: I) => T,
    options?: MapOptions<I>,
  ): Future<Result<() => T>[]>;
  map<N extends KnownName<R>, I extends Arguments<R[N]>[0]>(
    items: Iterable<I>,
    name: N,
    options: MapOptions<I> & { readonly onError: "collect" },
  ): Future<PromiseSettledResult<Result<R[N]>>[]>;
  map<N extends KnownName<R>, I extends Arguments<R[N]>[0]>(
    items: Iterable<I>,
    name: N,
    options?: MapOptions<I>,
  ): Future<Result<R[N]>[]>;
  map<I>(
    items: Iterable<I>,
    name: FreeName<R>,
    options: MapOptions<I> & { readonly onError: "collect" },
    // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of the result.
  ): Future<PromiseSettledResult<any>[]>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of the result.
  map<T = any>(items: Iterable<any>, name: FreeName<R>, options?: MapOptions<any>): Future<T[]>;

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
