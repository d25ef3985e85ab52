/** The main entry's client: its types, over the one behind both entries. */
import { Client } from "./client/client.ts";
import type { ResonateHandle } from "./client/handle.ts";
import type { Promises } from "./client/promises.ts";
import type { Schedules } from "./client/schedules.ts";
import type { Tasks } from "./client/tasks.ts";
import type {
  CallArguments,
  DurableFunction,
  FreeName,
  Functions,
  KnownName,
  Result,
} from "./context.ts";
import type {
  ClientOptions,
  FunctionOptions,
  ResonateFunc,
  ResonateSchedule,
} from "./functions.ts";
import type { Options } from "./options.ts";
import type { ResonateOptions } from "./settings.ts";

/**
 * Runs durable functions, and asks others to.
 *
 * An id names one execution for ever: a call with an id that exists joins it, or gives its stored outcome,
 * whatever the arguments are this time.
 *
 * Calls by name take and give `any`, unless a program declares its functions: with
 * `new Resonate<{ greet: typeof greet }>()` names, arguments and results are checked, and with
 * `Context<{ greet: typeof greet }>` in functions, too.
 *
 * @example
 * ```ts
 * const resonate = new Resonate({ path: "app.db" });
 * resonate.register("greet", async (ctx: Context, name: string) => `Hello, ${await ctx.run(look, name)}`);
 * console.log(await resonate.run("greet-1", "greet", "World"));
 * ```
 */
export class Resonate<R = Functions> {
  /** Promises as they are on the server, and as values. */
  readonly promises: Promises;
  readonly tasks: Tasks;
  readonly schedules: Schedules;
  readonly #client: Client;

  /** Does nothing yet: the connection is made by the first registration or call. @throws ResonateError `ARGUMENT_INVALID`. */
  constructor(options: ResonateOptions = {}) {
    this.#client = new Client(options, "generator");
    this.promises = this.#client.promises;
    this.tasks = this.#client.tasks;
    this.schedules = this.#client.schedules;
  }

  /**
   * Makes a function callable, by others too, under its own name or the one given.
   *
   * @throws ResonateError `NAME_REQUIRED`, `VERSION_INVALID`, `ARGUMENT_INVALID`, or `ALREADY_REGISTERED` when
   *   that version of the name or of the function is registered already.
   */
  register<F extends DurableFunction>(fn: F, options?: FunctionOptions<F>): ResonateFunc<F>;
  register<F extends DurableFunction>(
    name: string,
    fn: F,
    options?: FunctionOptions<F>,
  ): ResonateFunc<F>;
  register<F extends DurableFunction>(
    first: string | F,
    second?: F | FunctionOptions<F>,
    third?: FunctionOptions<F>,
  ): ResonateFunc<F> {
    return this.#client.register(first, second, third);
  }

  /**
   * Runs a registered function in this process and gives its result.
   *
   * @param id Names the execution: any text without `:`.
   * @throws what the function throws; ResonateError `FUNCTION_NOT_REGISTERED`, `ID_INVALID`; the errors of
   *   `ResonateHandle.result`.
   */
  run<F extends DurableFunction>(id: string, fn: F, ...args: CallArguments<F>): Promise<Result<F>>;
  run<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  run<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<T>;
  run(id: string, fn: DurableFunction | string, ...given: unknown[]): Promise<unknown> {
    return this.#client.run({ id, fn, given });
  }

  /** As `run`, but gives a handle as soon as the call is on record. */
  beginRun<F extends DurableFunction>(
    id: string,
    fn: F,
    ...args: CallArguments<F>
  ): Promise<ResonateHandle<Result<F>>>;
  beginRun<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<ResonateHandle<Result<R[N]>>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRun<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<ResonateHandle<T>>;
  beginRun(
    id: string,
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    return this.#client.beginRun({ id, fn, given });
  }

  /**
   * Calls a function on any process of the option `target`, and gives its result. A function passed by value must
   * be registered here; a name is looked up where it runs.
   */
  rpc<F extends DurableFunction>(id: string, fn: F, ...args: CallArguments<F>): Promise<Result<F>>;
  rpc<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<Result<R[N]>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  rpc<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<T>;
  rpc(id: string, fn: DurableFunction | string, ...given: unknown[]): Promise<unknown> {
    return this.#client.rpc({ id, fn, given });
  }

  /** As `rpc`, but gives a handle as soon as the call is on record. */
  beginRpc<F extends DurableFunction>(
    id: string,
    fn: F,
    ...args: CallArguments<F>
  ): Promise<ResonateHandle<Result<F>>>;
  beginRpc<N extends KnownName<R>>(
    id: string,
    name: N,
    ...args: CallArguments<R[N]>
  ): Promise<ResonateHandle<Result<R[N]>>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  beginRpc<T = any>(id: string, name: FreeName<R>, ...args: any[]): Promise<ResonateHandle<T>>;
  beginRpc(
    id: string,
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    return this.#client.beginRpc({ id, fn, given });
  }

  /** The handle of any promise, children included. @throws ServerRefusedError with status 404 if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: an id says nothing of the type; the caller may say what it expects.
  get<T = any>(id: string): Promise<ResonateHandle<T>> {
    return this.#client.get<T>(id);
  }

  /**
   * Cancels a call, and everything pending that was started for it unless `tree` is false; children with an id of their
   * own and detached calls go on. Whoever runs what is canceled is told, and its `ctx.signal` fires.
   *
   * @returns Whether it is canceled; `false` when it had settled otherwise before.
   * @throws ServerRefusedError with status 404 if there is no such promise.
   */
  cancel(id: string, options?: { readonly tree?: boolean | undefined }): Promise<boolean> {
    return this.#client.cancel(id, options);
  }

  /**
   * Calls a function at every occurrence of a cron expression, from now on. A schedule of that name which exists
   * stays as it is. Without a server it fires only while this process lives, and does not keep it alive.
   *
   * @param cron Five fields, or six with seconds first; in UTC.
   */
  schedule<F extends DurableFunction>(
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
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateSchedule> {
    return this.#client.schedule({ id: name, cron, fn, given });
  }

  /**
   * Options for one call, to be its last argument.
   *
   * @throws ResonateError `ARGUMENT_INVALID` or `VERSION_INVALID`, naming the field.
   */
  options(fields?: ClientOptions): Options {
    return this.#client.options(fields);
  }

  /** Makes something, such as a database client, available to functions as `ctx.getDependency(name)`. */
  setDependency(name: string, value: unknown): void {
    this.#client.setDependency(name, value);
  }

  /**
   * Takes no more work, fires `ctx.signal` of what runs, gives back what is held (others go on with it at once)
   * and disconnects, within about a second. Results that are waited for stay pending. Safe to call twice.
   */
  stop(): Promise<void> {
    return this.#client.stop();
  }
}
