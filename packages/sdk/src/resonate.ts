/** The client: puts everything together, and is the way in. */
import { Caller } from "./client/caller.ts";
import type { ResonateHandle } from "./client/handle.ts";
import { Listeners } from "./client/listeners.ts";
import { Promises } from "./client/promises.ts";
import { Schedules } from "./client/schedules.ts";
import { Tasks } from "./client/tasks.ts";
import { createCodec } from "./codec/json-codec.ts";
import type {
  CallArguments,
  DurableFunction,
  FreeName,
  Functions,
  KnownName,
  Result,
} from "./context.ts";
import type { Clock } from "./core/clock.ts";
import { ResonateError } from "./errors.ts";
import type {
  ClientOptions,
  FunctionOptions,
  ResonateFunc,
  ResonateSchedule,
} from "./functions.ts";
import type { Logger } from "./logger.ts";
import type { Network } from "./network/network.ts";
import { onServerTime } from "./network/server-time.ts";
import { TracedNetwork } from "./network/traced.ts";
import { Options, splitOptions } from "./options.ts";
import { Registry } from "./registry.ts";
import { type ResonateOptions, readSettings } from "./settings.ts";
import { Worker } from "./worker/worker.ts";

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
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #dependencies = new Map<string, unknown>();
  readonly #worker: Worker;
  readonly #listeners: Listeners;
  readonly #caller: Caller;
  #connected: Promise<void> | undefined;
  #connecting = false;
  /** A call has been made, and waits for the connection itself. */
  #called = false;
  #stopped: Promise<void> | undefined;

  /** Does nothing yet: the connection is made by the first registration or call. @throws ResonateError `ARGUMENT_INVALID`. */
  constructor(
    options: ResonateOptions = {},
    { flavour = "generator" }: { readonly flavour?: "generator" | "async" } = {},
  ) {
    const settings = readSettings(options);
    const { logger, pid, ttlMs, defaultTarget, dialect, speculate, invoke } = settings;
    const network = new TracedNetwork(settings.network);
    const clock = onServerTime(settings.clock, network);
    const codec = createCodec({ encryptor: settings.encryptor, bytesMax: settings.valueBytesMax });
    const registry = this.#registry;
    const target = (name = defaultTarget) => network.match(name);
    // Servers that show no extensions may be ones that do not wake a timer without a target.
    const timerTarget = () => (network.extensions.size > 0 ? undefined : target("default"));
    const dependencies = this.#dependencies;
    const listen = async (id: string) =>
      (await this.promises.registerListener(id, network.unicast)).promise;
    const cancel = (id: string) => this.promises.cancelTree(id);
    this.#network = network;
    this.#logger = logger;
    this.#clock = clock;
    this.promises = new Promises({ network, codec });
    this.tasks = new Tasks({ network });
    this.schedules = new Schedules({ network });
    this.#listeners = new Listeners({ network, clock, logger });
    this.#worker = new Worker({
      network,
      codec,
      surroundings: {
        registry,
        clock,
        logger,
        dependencies,
        invoke,
        target,
        timerTarget,
        listen,
        cancel,
        flavour,
        dialect,
        speculate,
      },
      pid,
      ttlMs,
      maxConcurrentTasks: settings.maxConcurrentTasks,
      warmExecutionsMax: settings.warmExecutionsMax,
      onSettled: (promise) => this.#listeners.settled(promise),
      onAway: (id) => this.#listeners.away(id),
    });
    this.#caller = new Caller({
      network,
      codec,
      clock,
      registry,
      worker: this.#worker,
      listeners: this.#listeners,
      schedules: this.schedules,
      promises: this.promises,
      dialect,
      pid,
      ttlMs,
      target,
    });
    network.recv((message) => {
      if (message.kind === "execute") return this.#worker.execute(message);
      this.#listeners.settled(message.data.promise);
      this.#worker.settled(message.data.promise);
    });
    network.opened(() => {
      this.#worker.opened();
      this.#listeners.refresh();
    });
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
    // The overloads say which is which; the registry checks what a program without types passes.
    const [name, fn, options] = (
      typeof first === "string" ? [first, second, third] : [first?.name, first, second]
    ) as [string, F, FunctionOptions<F> | undefined];
    const { version } = this.#registry.register(name, fn, {
      version: options?.version,
      // It is called with the arguments of this very function.
      key: options?.key as ((...args: never[]) => string) | undefined,
      input: options?.input,
    });
    this.#worker.registered();
    this.#serve();
    return this.#bound(name, version);
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
  async run(id: string, fn: DurableFunction | string, ...given: unknown[]): Promise<unknown> {
    await this.#connect();
    return this.#caller.run({ id, fn, given });
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
  async beginRun(
    id: string,
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    await this.#connect();
    return this.#caller.beginRun({ id, fn, given });
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
  async rpc(id: string, fn: DurableFunction | string, ...given: unknown[]): Promise<unknown> {
    await this.#connect();
    return this.#caller.rpc({ id, fn, given });
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
  async beginRpc(
    id: string,
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateHandle<unknown>> {
    await this.#connect();
    return this.#caller.beginRpc({ id, fn, given });
  }

  /** The handle of any promise, children included. @throws ServerRefusedError with status 404 if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: an id says nothing of the type; the caller may say what it expects.
  async get<T = any>(id: string): Promise<ResonateHandle<T>> {
    await this.#connect();
    return this.#caller.get<T>(id);
  }

  /**
   * Cancels a call, and everything pending that was started for it unless `tree` is false; children with an id of their
   * own and detached calls go on. Whoever runs what is canceled is told, and its `ctx.signal` fires.
   *
   * @returns Whether it is canceled; `false` when it had settled otherwise before.
   * @throws ServerRefusedError with status 404 if there is no such promise.
   */
  async cancel(
    id: string,
    { tree = true }: { readonly tree?: boolean | undefined } = {},
  ): Promise<boolean> {
    await this.#connect();
    const promise = tree ? await this.promises.cancelTree(id) : await this.promises.cancel(id);
    return promise.state === "rejected_canceled";
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
  async schedule(
    name: string,
    cron: string,
    fn: DurableFunction | string,
    ...given: unknown[]
  ): Promise<ResonateSchedule> {
    await this.#connect();
    await this.#caller.schedule({ id: name, cron, fn, given });
    return { delete: () => this.schedules.delete(name) };
  }

  /**
   * Options for one call, to be its last argument.
   *
   * @throws ResonateError `ARGUMENT_INVALID` or `VERSION_INVALID`, naming the field.
   */
  options(fields: ClientOptions = {}): Options {
    return new Options(fields);
  }

  /** Makes something, such as a database client, available to functions as `ctx.getDependency(name)`. */
  setDependency(name: string, value: unknown): void {
    this.#dependencies.set(name, value);
  }

  /**
   * Takes no more work, fires `ctx.signal` of what runs, gives back what is held (others go on with it at once)
   * and disconnects, within about a second. Results that are waited for stay pending. Safe to call twice.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#worker.stop();
    this.#listeners.stop();
    await this.#network.stop();
  }

  #connect(): Promise<void> {
    if (this.#stopped) {
      const message = "This client has been stopped; make a new Resonate to go on.";
      return Promise.reject(new ResonateError("STOPPED", message));
    }
    this.#called = true;
    return this.#open();
  }

  #open(): Promise<void> {
    this.#connected ??= this.#network.init();
    return this.#connected;
  }

  /** Work is taken from the next turn on, so that all that a program registers at once is there by then. */
  #serve(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    this.#clock.turn(() => {
      if (this.#stopped) return;
      this.#open().catch((error: unknown) => {
        // Whoever has made a call is told by that.
        if (this.#called) return;
        this.#logger.error({ error }, "This process takes no work: it could not connect.");
      });
    });
  }

  #bound<F extends DurableFunction>(fn: string, version: number): ResonateFunc<F> {
    const call = (id: string, args: readonly unknown[]) => {
      return { id, fn, given: atVersion(args, version) };
    };
    return {
      run: async (id, ...args) => {
        await this.#connect();
        return this.#caller.run(call(id, args));
      },
      rpc: async (id, ...args) => {
        await this.#connect();
        return this.#caller.rpc(call(id, args));
      },
      beginRun: async (id, ...args) => {
        await this.#connect();
        return this.#caller.beginRun(call(id, args));
      },
      beginRpc: async (id, ...args) => {
        await this.#connect();
        return this.#caller.beginRpc(call(id, args));
      },
      options: (fields = {}) => this.options(fields),
    };
  }
}

/** The arguments of a call with the version said, unless they say another. */
function atVersion(given: readonly unknown[], version: number): readonly unknown[] {
  const { args, options } = splitOptions(given);
  return [...args, new Options({ version, ...options })];
}
