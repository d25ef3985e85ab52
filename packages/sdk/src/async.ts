/**
 * Durable functions, eager flavour: `resonate.run` and `resonate.rpc` give a handle as soon as the call is on record,
 * functions are async, and everything on their context is awaited. The engine, the records and the options are those
 * of the main entry.
 */
import { Client } from "./client/client.ts";
import type { ResonateHandle } from "./client/handle.ts";
import type { Promises } from "./client/promises.ts";
import type { Schedules } from "./client/schedules.ts";
import type { Tasks } from "./client/tasks.ts";
import type { CallArguments, FreeName, Functions, KnownName, Result } from "./context.ts";
import type { EagerFunction } from "./eager-context.ts";
import type { ClientOptions, FunctionOptions, ResonateSchedule } from "./functions.ts";
import type { Options } from "./options.ts";
import type { ResonateOptions } from "./settings.ts";

export type { ResonateHandle } from "./client/handle.ts";
export type {
  CallArguments,
  CombineOptions,
  MapOptions,
  PromiseOptions,
  Result,
  SleepOptions,
} from "./context.ts";
export type { DetachedHandle, EagerContext as Context, Info } from "./eager-context.ts";
export {
  AwaitCycleError,
  InputInvalidError,
  isResonateError,
  LeaseLostError,
  NonDeterminismError,
  PromiseCanceledError,
  PromiseCanceledError as RejectedCanceled,
  PromiseTimedoutError,
  PromiseTimedoutError as RejectedTimedout,
  ResonateError,
  ServerRefusedError,
  ServerUnreachableError,
} from "./errors.ts";
export type { ClientOptions, FunctionOptions, ResonateSchedule } from "./functions.ts";
/** What every operation of a context gives: a promise with the id of what is on record. */
export { Future as DurablePromise } from "./future.ts";
export { consoleLogger, type Logger, type LogLevel, silentLogger } from "./logger.ts";
export { Options } from "./options.ts";
export {
  Constant,
  type EncodedRetryPolicy,
  Exponential,
  Linear,
  Never,
  type RetryPolicy,
} from "./retry.ts";
export type { ResonateOptions } from "./settings.ts";

/** A registered function; calls are bound to its version. */
export interface ResonateFunc<F extends EagerFunction> {
  run(id: string, ...args: CallArguments<F>): Promise<ResonateHandle<Result<F>>>;
  rpc(id: string, ...args: CallArguments<F>): Promise<ResonateHandle<Result<F>>>;
  options(fields?: ClientOptions): Options;
}

/**
 * Runs durable functions, and asks others to. As `Resonate` of the main entry, but a call gives its handle.
 *
 * @example
 * ```ts
 * const resonate = new Resonate({ path: "app.db" });
 * resonate.register("greet", async (ctx: Context, name: string) => `Hello, ${await ctx.run(look, name)}`);
 * const handle = await resonate.run("greet-1", "greet", "World");
 * console.log(await handle.result());
 * ```
 */
export class Resonate<R = Functions> {
  readonly promises: Promises;
  readonly tasks: Tasks;
  readonly schedules: Schedules;
  readonly #client: Client;

  /** As that of the main entry. @throws ResonateError `ARGUMENT_INVALID`. */
  constructor(options: ResonateOptions = {}) {
    this.#client = new Client(options, "async");
    this.promises = this.#client.promises;
    this.tasks = this.#client.tasks;
    this.schedules = this.#client.schedules;
  }

  /** As that of the main entry. */
  register<F extends EagerFunction>(fn: F, options?: FunctionOptions<F>): ResonateFunc<F>;
  register<F extends EagerFunction>(
    name: string,
    fn: F,
    options?: FunctionOptions<F>,
  ): ResonateFunc<F>;
  register<F extends EagerFunction>(
    first: string | F,
    second?: F | FunctionOptions<F>,
    third?: FunctionOptions<F>,
  ): ResonateFunc<F> {
    const { beginRun: run, beginRpc: rpc, options } = this.#client.register(first, second, third);
    return { run, rpc, options };
  }

  /** Runs a registered function in this process; gives its handle as soon as the call is on record. */
  run<F extends EagerFunction>(
    id: string,
    fn: F,
    ...args: CallArguments<F>
  ): Promise<ResonateHandle<Result<F>>>;
  run<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<ResonateHandle<Result<R[N]>>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  run<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<ResonateHandle<T>>;
  run(
    id: string,
    fn: EagerFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    return this.#client.beginRun({ id, fn, given });
  }

  /** Calls a function on any process of the option `target`; gives its handle as soon as the call is on record. */
  rpc<F extends EagerFunction>(
    id: string,
    fn: F,
    ...args: CallArguments<F>
  ): Promise<ResonateHandle<Result<F>>>;
  rpc<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<ResonateHandle<Result<R[N]>>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  rpc<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<ResonateHandle<T>>;
  rpc(
    id: string,
    fn: EagerFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    return this.#client.beginRpc({ id, fn, given });
  }

  /** The handle of any promise, children included. @throws ServerRefusedError with status 404 if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: an id says nothing of the type; the caller may say what it expects.
  get<T = any>(id: string): Promise<ResonateHandle<T>> {
    return this.#client.get<T>(id);
  }

  /** As that of the main entry. */
  cancel(id: string, options?: { readonly tree?: boolean | undefined }): Promise<boolean> {
    return this.#client.cancel(id, options);
  }

  /** As that of the main entry. */
  schedule<F extends EagerFunction>(
    name: string,
    cron: string,
    fn: F,
    ...args: CallArguments<F>
  ): Promise<ResonateSchedule>;
  schedule<N extends KnownName<R>>(
    name: string,
    cron: string,
    fn: N,
    ...args: CallArguments<R[N]>
  ): Promise<ResonateSchedule>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments.
  schedule(name: string, cron: string, fn: FreeName<R>, ...args: any[]): Promise<ResonateSchedule>;
  schedule(
    name: string,
    cron: string,
    fn: EagerFunction | string,
    ...given: unknown[]
  ): Promise<ResonateSchedule> {
    return this.#client.schedule({ id: name, cron, fn, given });
  }

  /** As that of the main entry. */
  options(fields?: ClientOptions): Options {
    return this.#client.options(fields);
  }

  /** Makes something available to functions as `ctx.getDependency(name)`. */
  setDependency(name: string, value: unknown): void {
    this.#client.setDependency(name, value);
  }

  /** As that of the main entry. */
  stop(): Promise<void> {
    return this.#client.stop();
  }
}
