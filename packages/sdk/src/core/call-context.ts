/**
 * `Context`, implemented once for both styles: says of each call which operation it is; `Starter` does the rest.
 *
 * I1. A function runs only after its own promise is on record, and what its caller is given is what is on
 *     record of its end.
 */
import { TAG } from "@resonate-ts/protocol";
import type {
  CallInfo,
  Check,
  Context,
  DurableFunction,
  PromiseOptions,
  SleepOptions,
} from "../context.ts";
import { ResonateError } from "../errors.ts";
import { Begun, type Cell, type Future, type Settled } from "../future.ts";
import type { Recorded } from "../journal/journal.ts";
import { type OptionFields, type OptionInput, Options, splitOptions } from "../options.ts";
import { attempt } from "./attempt.ts";
import { CallSignal } from "./call-signal.ts";
import { watchDeadline } from "./deadline.ts";
import type { Host } from "./host.ts";
import type { Ledger } from "./ledger.ts";
import type { Operation } from "./operations.ts";
import { functionOf } from "./replay.ts";
import { type Callee, calleeOf, registeredVersion, remoteCalleeOf } from "./resolve.ts";
import { goOn, never, Starter } from "./starter.ts";

/** What one call of a function is about. */
export interface CallPlace {
  readonly id: string;
  readonly originId: string;
  readonly parentId: string;
  readonly branchId: string;
  readonly timeoutAt: number;
  readonly attempt: number;
  readonly version: number;
}

export class CallContext implements Context {
  readonly id: string;
  readonly originId: string;
  readonly parentId: string;
  readonly branchId: string;
  readonly info: CallInfo;
  readonly date = { now: () => this.#observe("resonate:date", "now", Date) };
  readonly math = { random: () => this.#observe("resonate:math", "random", Math) };
  readonly lfi: Context["beginRun"];
  readonly lfc: Context["run"];
  readonly rfi: Context["beginRpc"];
  readonly rfc: Context["rpc"];
  /** Set before the first line of a generator runs. */
  isGenerator = false;
  readonly #host: Host;
  readonly #starter: Starter;
  readonly #signal: CallSignal;

  constructor(host: Host, place: CallPlace) {
    this.#host = host;
    this.#starter = new Starter(host, place);
    this.id = place.id;
    this.originId = place.originId;
    this.parentId = place.parentId;
    this.branchId = place.branchId;
    this.info = { attempt: place.attempt, timeout: place.timeoutAt, version: place.version };
    this.#signal = new CallSignal(host, place);
    this.lfi = this.beginRun.bind(this);
    this.lfc = this.run.bind(this);
    this.rfi = this.beginRpc.bind(this);
    this.rfc = this.rpc.bind(this);
  }

  /** What this call has started. */
  get ledger(): Ledger {
    return this.#starter.ledger;
  }

  get signal(): AbortSignal {
    return this.#signal.get();
  }

  run(fn: DurableFunction | string, ...given: unknown[]): Future<never> {
    const { args, options } = splitOptions(given);
    return this.#starter.start(() => {
      const callee = calleeOf(fn, options.version, this.#host.registry);
      const operation = { kind: "run", func: callee.name, version: callee.version } as const;
      return {
        operation,
        options,
        chosen: options.id ?? callee.key?.(...args),
        perform: (cell, recorded) => this.#perform({ cell, recorded, callee, args, options }),
      };
    });
  }

  beginRun(fn: DurableFunction | string, ...given: unknown[]): Begun<never> {
    return new Begun(this.run(fn, ...given));
  }

  rpc(fn: DurableFunction | string, ...given: unknown[]): Future<never> {
    return this.#dispatch("rpc", fn, given);
  }

  beginRpc(fn: DurableFunction | string, ...given: unknown[]): Begun<never> {
    return new Begun(this.#dispatch("rpc", fn, given));
  }

  detached(fn: DurableFunction | string, ...given: unknown[]): Begun<never> {
    return new Begun(this.#dispatch("detached", fn, given));
  }

  sleep(time: number | SleepOptions): Future<void> {
    const operation: Operation = {
      kind: "sleep",
      until: wakeAt(time, this.#host.clock.now()),
      target: this.#host.timerTarget(),
    };
    return this.#starter.start(() => ({ operation, options: {} }));
  }

  promise({ data, timeout, tags }: PromiseOptions = {}): Begun<never> {
    const { fields: options } = new Options({ timeout, tags });
    const operation: Operation = { kind: "promise", data };
    return new Begun(this.#starter.start(() => ({ operation, options })));
  }

  panic(condition: boolean, message = "ctx.panic was called with a condition that holds"): Check {
    return condition ? this.#giveUp(message) : passed;
  }

  assert(
    condition: boolean,
    message = "ctx.assert was called with a condition that does not hold",
  ): Check {
    return condition ? passed : this.#giveUp(message);
  }

  getDependency(name: string): never {
    // Whatever was put in under this name; the caller says what it expects.
    return this.#host.dependencies.get(name) as never;
  }

  options(fields: OptionInput = {}): Options {
    return new Options(fields);
  }

  /** The call is over: its signal is let go, and operations that are asked for later are not done. */
  close(): void {
    this.#starter.close();
    this.#signal.close();
  }

  #dispatch(
    kind: "rpc" | "detached",
    fn: DurableFunction | string,
    given: readonly unknown[],
  ): Future<never> {
    const { args, options } = splitOptions(given);
    return this.#starter.start(() => {
      const { name, version, key } = remoteCalleeOf(fn, options.version, this.#host.registry);
      const operation: Operation = {
        kind,
        func: name,
        version,
        args,
        retry: options.retryPolicy?.encode(),
        target: this.#host.target(options.target),
      };
      return { operation, options, chosen: options.id ?? key?.(...args) };
    });
  }

  /** Runs here a function that only looks at the world, so that replays see the same. */
  #observe<N extends string>(
    dependency: string,
    method: N,
    fallback: { readonly [K in N]: () => number },
  ): Future<number> {
    // Only a program that replaces it on purpose puts something else under this name.
    const source = (this.#host.dependencies.get(dependency) ?? fallback) as typeof fallback;
    const look = { [method]: () => source[method]() }[method];
    // It is there: it was put in just above, under this name.
    return this.run(look as DurableFunction);
  }

  #perform(work: {
    readonly cell: Cell;
    readonly recorded: Recorded;
    readonly callee: Callee;
    readonly args: readonly unknown[];
    readonly options: OptionFields;
  }): void {
    const { cell, recorded, args, options } = work;
    const callee = registeredVersion(
      work.callee,
      functionOf(recorded).version,
      this.#host.registry,
    );
    let over = false;
    let unwatch = () => {};
    attempt(this.#host, {
      fn: callee.fn,
      args,
      retryPolicy: options.retryPolicy,
      nonRetryableErrors: options.nonRetryableErrors ?? [],
      place: {
        id: recorded.id,
        originId: recorded.tags[TAG.origin] ?? this.originId,
        parentId: this.id,
        branchId: recorded.tags[TAG.branch] ?? this.branchId,
        timeoutAt: recorded.timeoutAt,
        version: callee.version,
      },
      cell,
      done: (outcome, leaf) => {
        over = true;
        unwatch();
        // Its deadline has passed, and that is what is on record.
        if (cell.phase === "settled") return;
        const ahead = this.#mayBeTold(recorded)
          ? (told: Settled) => this.#tell(cell, told)
          : undefined;
        const settling = this.#host.journal.settle({ id: recorded.id, outcome, leaf, ahead });
        goOn(this.#host, settling, (settled) => this.#tell(cell, settled));
      },
    });
    // Most functions are through already.
    if (!over) unwatch = watchDeadline(this.#host, cell, recorded);
  }

  /** Whether this call may be told an outcome of its child before it is on record. */
  #mayBeTold({ tags, timeoutAt }: Recorded): boolean {
    // What others may ask for too, or time has settled already, is not this call's alone to foretell.
    const own = this.#host.speculate && tags[TAG.caller] === undefined;
    if (!own || this.#host.clock.now() >= timeoutAt) return false;
    return this.isGenerator || (this.#starter.stride.steady && this.ledger.running === 1);
  }

  #tell(cell: Cell, outcome: Settled): void {
    if (cell.phase === "settled") return;
    if (!this.isGenerator && this.ledger.running === 1) this.#starter.stride.told();
    // A cascade, since this may end this call, and so on upwards.
    this.#host.cascade(() => cell.settle(outcome));
  }

  #giveUp(message: string): Check {
    const error = new ResonateError("PANIC", `'${this.id}' gave up: ${message}`);
    this.#host.fault(error);
    // A generator is left waiting; other code can only be stopped by throwing, and what it does with that is
    // of no consequence any more.
    if (!this.isGenerator) throw error;
    return never();
  }
}

const passed: Check = {
  *[Symbol.iterator]() {},
};

function wakeAt(time: number | SleepOptions, now: number): number {
  const { for: ms, until } = typeof time === "number" ? { for: time, until: undefined } : time;
  const at = until instanceof Date ? until.getTime() : now + Math.max(0, Number(ms));
  if (Number.isFinite(at) && (until === undefined) !== (ms === undefined)) return at;
  throw new ResonateError(
    "ARGUMENT_INVALID",
    "ctx.sleep takes milliseconds, { for: milliseconds } or { until: Date }.",
  );
}
