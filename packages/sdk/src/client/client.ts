/** Puts everything together: what is behind both entries, which only differ in types and in what a call gives. */
import { createCodec } from "../codec/json-codec.ts";
import type { DurableFunction } from "../context.ts";
import type { Clock } from "../core/clock.ts";
import type { Surroundings } from "../core/host.ts";
import { ResonateError } from "../errors.ts";
import type {
  ClientOptions,
  FunctionOptions,
  ResonateFunc,
  ResonateSchedule,
} from "../functions.ts";
import type { Logger } from "../logger.ts";
import type { Network } from "../network/network.ts";
import { onServerTime } from "../network/server-time.ts";
import { TracedNetwork } from "../network/traced.ts";
import { Options, splitOptions } from "../options.ts";
import { Registry } from "../registry.ts";
import { type ResonateOptions, readSettings } from "../settings.ts";
import { Worker } from "../worker/worker.ts";
import { Caller, type ClientCall } from "./caller.ts";
import type { ResonateHandle } from "./handle.ts";
import { Listeners } from "./listeners.ts";
import { Promises } from "./promises.ts";
import { Schedules } from "./schedules.ts";
import { Tasks } from "./tasks.ts";

export class Client {
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

  /** @throws ResonateError `ARGUMENT_INVALID`. */
  constructor(options: ResonateOptions, flavour: Surroundings["flavour"]) {
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

  /** As overloaded by the entries: `(fn, options?)` or `(name, fn, options?)`. */
  register<F extends DurableFunction>(
    ...given: readonly [string | F, (F | FunctionOptions<F>)?, FunctionOptions<F>?]
  ): ResonateFunc<F> {
    const [first, second, third] = given;
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

  async run<T>(call: ClientCall): Promise<T> {
    await this.#connect();
    return this.#caller.run<T>(call);
  }

  async beginRun<T>(call: ClientCall): Promise<ResonateHandle<T>> {
    await this.#connect();
    return this.#caller.beginRun<T>(call);
  }

  async rpc<T>(call: ClientCall): Promise<T> {
    await this.#connect();
    return this.#caller.rpc<T>(call);
  }

  async beginRpc<T>(call: ClientCall): Promise<ResonateHandle<T>> {
    await this.#connect();
    return this.#caller.beginRpc<T>(call);
  }

  async get<T>(id: string): Promise<ResonateHandle<T>> {
    await this.#connect();
    return this.#caller.get<T>(id);
  }

  async cancel(
    id: string,
    { tree = true }: { readonly tree?: boolean | undefined } = {},
  ): Promise<boolean> {
    await this.#connect();
    const promise = tree ? await this.promises.cancelTree(id) : await this.promises.cancel(id);
    return promise.state === "rejected_canceled";
  }

  async schedule(call: ClientCall & { readonly cron: string }): Promise<ResonateSchedule> {
    await this.#connect();
    await this.#caller.schedule(call);
    return { delete: () => this.schedules.delete(call.id) };
  }

  options(fields: ClientOptions = {}): Options {
    return new Options(fields);
  }

  setDependency(name: string, value: unknown): void {
    this.#dependencies.set(name, value);
  }

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
      run: (id, ...args) => this.run(call(id, args)),
      rpc: (id, ...args) => this.rpc(call(id, args)),
      beginRun: (id, ...args) => this.beginRun(call(id, args)),
      beginRpc: (id, ...args) => this.beginRpc(call(id, args)),
      options: (fields) => this.options(fields),
    };
  }
}

/** The arguments of a call with the version said, unless they say another. */
function atVersion(given: readonly unknown[], version: number): readonly unknown[] {
  const { args, options } = splitOptions(given);
  return [...args, new Options({ version, ...options })];
}
