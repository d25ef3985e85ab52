/** A whole system in one process: server, workers, a client, and time that a test moves. */
import type {
  Arguments,
  CallArguments,
  Clock,
  DurableFunction,
  Extension,
  Logger,
  LogLevel,
  Resonate,
  Result,
  TreeNode,
} from "@resonate-ts/sdk";
import { EXTENSIONS } from "@resonate-ts/server";
import { Acknowledgements } from "./acknowledgements.ts";
import { Activity } from "./activity.ts";
import { type Call, Calls } from "./calls.ts";
import type { Duration } from "./durations.ts";
import { type Faults, Weather } from "./faults.ts";
import type { Tap } from "./lab-network.ts";
import { LabProcess, type ProcessOptions } from "./lab-process.ts";
import { LabServer } from "./lab-server.ts";
import { LabTime } from "./lab-time.ts";
import { derived, seeded } from "./random.ts";
import { RequestCounts } from "./requests.ts";

/** Functions by the name under which they are registered. */
export type Functions = Readonly<Record<string, DurableFunction>>;

/** How a lab is put together; everything has a default. */
export interface LabOptions {
  /** How many workers there are. Default 1. */
  readonly workers?: number;
  /** The group of the workers, and where calls go that name no target. Default `default`. */
  readonly group?: string;
  /**
   * `simulated` (default): time stands still until the test moves it, and everything that happens takes none.
   * `system`: the time of the machine.
   */
  readonly clock?: "simulated" | "system";
  /** The instant at which simulated time begins. Default 2030-01-01T00:00:00Z. */
  readonly startAt?: Date;
  /** Repeats what is random: faults, retries, `ctx.math.random()`. Default 1. */
  readonly seed?: number;
  /** What goes wrong on the way. Default nothing. */
  readonly faults?: Faults;
  /** What every process registers: functions by name, or a function that does what the program does. */
  readonly register?: Functions | ((resonate: Resonate) => void);
  /** Keeps the records in a temporary file, so that the server can be stopped and started. Default false. */
  readonly restartable?: boolean;
  /**
   * The extensions of the protocol that are used. Default all, none if the environment's `RESONATE_EXTENSIONS` is `off`;
   * `[]` is the base protocol.
   */
  readonly extensions?: readonly Extension[];
  /** Options of every process's client. */
  readonly resonate?: ProcessOptions;
  /** Sees what passes between processes and server, and can kill a process there. */
  readonly tap?: Tap;
  /** Called with every call of a function, retries and replays included. */
  readonly onCall?: (call: Call) => void;
}

/** Something that the SDK or the server has logged. */
export interface LabLog {
  readonly level: LogLevel;
  readonly process: string;
  readonly fields: object;
  readonly message: string;
}

const EXTENSIONS_DEFAULT = process.env.RESONATE_EXTENSIONS === "off" ? [] : EXTENSIONS;
const START_AT = Date.UTC(2030, 0, 1);
/** How far `until` moves time at most, unless it is told otherwise. */
const WITHIN: Duration = "366d";
/** How many ids and log lines an error shows. */
const SHOWN_MAX = 10;

/**
 * Opens a lab. Close it at the end of the test.
 *
 * @example
 * ```ts
 * const lab = await openLab({ register: { remind } });
 * const handle = await lab.client.beginRpc("r-1", remind, "Ada");
 * await lab.advance("30d");
 * expect(await handle.result()).toBe("reminded");
 * await lab.close();
 * ```
 */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const lab = new Lab(options);
  await lab.server.start();
  return lab;
}

/** A lab that is open. */
export class Lab {
  /** Runs nothing by itself unless it is asked to (`client.run`); its calls go to the workers. */
  readonly client: Resonate;
  readonly workers: readonly LabProcess[];
  readonly server: LabServer;
  /** What has been sent to the server. */
  readonly requests = new RequestCounts();
  /** What has been logged, warnings and errors only. */
  readonly logs: LabLog[] = [];
  readonly #options: LabOptions;
  readonly #activity = new Activity();
  readonly #calls = new Calls(this.#activity);
  readonly #acknowledgements = new Acknowledgements((id) => this.server.holder(id));
  readonly #weather: Weather;
  readonly #client: LabProcess;
  readonly #mocked = new Map<string, DurableFunction>();
  readonly #time: LabTime;
  #closed: Promise<void> | undefined;

  /** For `openLab`. */
  constructor(options: LabOptions) {
    const { seed = 1, clock = "simulated", startAt, workers = 1, register, onCall } = options;
    this.#options = options;
    this.#time = new LabTime({
      startAt: clock === "simulated" ? (startAt?.getTime() ?? START_AT) : undefined,
      activity: this.#activity,
      calls: this.#calls,
      waiting: () => this.#waiting(),
    });
    this.#weather = new Weather(seeded(derived(seed, "faults")), options.faults);
    this.#calls.onCall = (call) => {
      this.#acknowledgements.called(call);
      onCall?.(call);
    };
    for (const [name, fn] of Object.entries(functionsOf(register))) this.#calls.name(fn, name);
    this.server = new LabServer({
      activity: this.#activity,
      clock: this.#time.simulated ? () => this.#time.processClock() : undefined,
      restartable: options.restartable ?? false,
      logger: this.#logger("server"),
    });
    this.#client = this.#process("client", "clients");
    this.client = this.#client.resonate;
    this.workers = Array.from({ length: workers }, (_, i) =>
      this.#process(`worker-${i}`, this.#workers),
    );
  }

  /** The instant it is in this lab, in ms since the epoch. */
  now(): number {
    return this.#time.now();
  }

  /**
   * Calls a function on a worker and gives its result, moving time as far as needed.
   *
   * @throws what the function throws, and what `until` throws.
   */
  run<F extends DurableFunction>(id: string, fn: F, ...args: CallArguments<F>): Promise<Result<F>>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments and result.
  run<T = any>(id: string, name: string, ...args: any[]): Promise<T>;
  run(id: string, fn: DurableFunction | string, ...args: unknown[]): Promise<unknown> {
    // Both kinds of calls go the same way; the overloads tell them apart.
    return this.until(this.client.rpc(id, fn as string, ...args));
  }

  /**
   * Gives what a promise comes to, moving time from one timer to the next while it is open and nothing else can move.
   *
   * @throws what it is rejected with; Error when nothing can ever settle it, or when it is still open after `within`
   *   (default 366 days), saying what waits.
   */
  async until<T>(promise: Promise<T>, { within = WITHIN }: { within?: Duration } = {}): Promise<T> {
    let open = true;
    const end = () => {
      open = false;
    };
    promise.then(end, end);
    if (this.#time.simulated) await this.#time.moveWhile(() => open, within);
    return promise;
  }

  /**
   * Moves time until a promise with this id is on record, for whoever wants to settle it.
   *
   * @throws as `until`.
   */
  created(id: string, { within = WITHIN }: { within?: Duration } = {}): Promise<void> {
    return this.#time.moveWhile(async () => !(await this.server.exists(id)), within);
  }

  /**
   * Moves time on: from one timer to the next, each time when nothing else can move.
   *
   * @throws Error when functions keep doing something of their own (see `delay`), and with the machine's time.
   */
  advance(duration: Duration): Promise<void> {
    return this.#time.advance(duration);
  }

  /** Resolves when nothing can move unless time does. */
  idle(): Promise<void> {
    return this.#time.idle();
  }

  /**
   * Waits for time of this lab, which somebody has to move; inside functions above all: a function that does anything
   * else which takes time holds the time of the lab still. Ends early, without an error, when `signal` fires.
   */
  delay(duration: Duration, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.after(duration, resolve);
    signal?.addEventListener("abort", () => {
      cancel();
      resolve();
    });
    return this.#calls.waitFor(promise);
  }

  /** Calls back when time has moved on so far. The returned function cancels it. */
  after(duration: Duration, callback: () => void): () => void {
    return this.#time.after(duration, callback);
  }

  /**
   * Puts `implementation` in the place of a function, in every process from the next call on. By name it may also
   * be one that nobody has registered: the workers then have it.
   */
  mock<F extends DurableFunction>(fn: F, implementation: Mocked<F>): void;
  mock(name: string, implementation: DurableFunction): void;
  mock(fn: DurableFunction | string, implementation: DurableFunction): void {
    this.#calls.mock(fn, implementation);
    if (typeof fn !== "string" || fn in functionsOf(this.#options.register)) return;
    if (typeof this.#options.register === "function") return;
    this.#mocked.set(fn, implementation);
    for (const { resonate } of this.workers) resonate.register(fn, implementation);
  }

  /** What was started for a promise, as a tree. */
  tree(id: string): Promise<TreeNode> {
    return this.client.promises.tree(id);
  }

  /** How often the function of each promise was entered, by its id; retries and replays included. */
  get entered(): ReadonlyMap<string, number> {
    return this.#calls.entered;
  }

  /**
   * Calls of functions whose outcome the server had acknowledged to a process before: empty, whatever crashed or was
   * lost.
   */
  get enteredAgain(): readonly Call[] {
    return this.#acknowledgements.again;
  }

  /** From now on this goes wrong; without `faults`, nothing. */
  setFaults(faults?: Faults): void {
    this.#weather.set(faults);
  }

  /**
   * Stops everything. Safe to call twice.
   *
   * @throws Error, after everything has been stopped, when functions were still running, naming them; not with
   *   `abandon`.
   */
  close({ abandon = false }: { readonly abandon?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(abandon);
    return this.#closed;
  }

  /** `await using lab = await openLab();` */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(abandon: boolean): Promise<void> {
    this.setFaults();
    const left = abandon ? [] : await this.#running();
    for (const process of [...this.workers, this.#client]) {
      if (abandon) process.crash();
      else await this.until(process.stop());
    }
    await this.server.close();
    if (left.length === 0) return;
    throw new Error(
      `The lab was closed while ${list(left)} had not ended. Wait for the result, advance time, or close it with { abandon: true }.`,
    );
  }

  /** What is still at work: functions, and tasks that a process holds. */
  async #running(): Promise<readonly string[]> {
    const tasks = this.server.running ? await this.server.tasks("acquired") : [];
    const names = this.#calls.busy().map(({ id }) => id);
    return [...new Set([...names, ...tasks])];
  }

  get #workers(): string {
    return this.#options.group ?? "default";
  }

  #process(name: string, group: string): LabProcess {
    const {
      seed = 1,
      tap = {},
      extensions = EXTENSIONS_DEFAULT,
      resonate: options = {},
    } = this.#options;
    return new LabProcess({
      name,
      group,
      defaultTarget: this.#workers,
      options,
      extensions,
      server: this.server,
      activity: this.#activity,
      weather: this.#weather,
      random: seeded(derived(seed, `retries of ${name}`)),
      clock: () => this.#time.processClock(),
      logger: this.#logger(name),
      invoke: this.#calls.invoker(name),
      forget: () => {
        this.#calls.forget(name);
        this.#acknowledgements.forget(name);
      },
      equip: (resonate, clock) => this.#equip(resonate, clock, name),
      tap: {
        ...tap,
        arriving: (exchange) => {
          this.requests.add(exchange);
          return tap.arriving?.(exchange);
        },
        answered: (exchange, answers) => {
          this.#acknowledgements.answered(exchange, answers);
          tap.answered?.(exchange, answers);
        },
      },
    });
  }

  /** Gives a process what it runs, and the time and the chance of this lab. */
  #equip(resonate: Resonate, clock: Clock, name: string): void {
    const { register, seed = 1 } = this.#options;
    if (this.#time.simulated) resonate.setDependency("resonate:date", { now: () => clock.now() });
    const random = seeded(derived(seed, `random numbers of ${name}`));
    resonate.setDependency("resonate:math", { random });
    if (typeof register === "function") register(resonate);
    for (const [own, fn] of Object.entries(functionsOf(register))) resonate.register(own, fn);
    for (const [own, fn] of this.#mocked) resonate.register(own, fn);
  }

  #logger(process: string): Logger {
    const at = (level: LogLevel) => (fields: object, message: string) => {
      this.logs.push({ level, process, fields, message });
    };
    return { debug() {}, info() {}, warn: at("warn"), error: at("error") };
  }

  /** What is open, and what was said last. */
  async #waiting(): Promise<string> {
    const states = ["acquired", "suspended", "pending", "halted"] as const;
    const open: string[] = [];
    for (const state of states) {
      const ids = this.server.running ? await this.server.tasks(state) : [];
      if (ids.length > 0) open.push(`${state}: ${list(ids)}`);
    }
    const said = this.logs
      .slice(-SHOWN_MAX)
      .map(({ process, message }) => `${process}: ${message}`);
    return [`${open.join("; ") || "no task is open"}.`, ...said].join("\n");
  }
}

/** What may stand in for a function: it takes the same arguments, and gives the same in any style. */
export type Mocked<F extends DurableFunction> = (
  ctx: Parameters<F>[0],
  ...args: Arguments<F>
) => Result<F> | Promise<Result<F>> | Generator<unknown, Result<F>, unknown>;

function functionsOf(register: LabOptions["register"]): Functions {
  return typeof register === "object" ? register : {};
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN_MAX).map((id) => `'${id}'`);
  const more = ids.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
