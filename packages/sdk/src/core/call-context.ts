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
  CombineOptions,
  Context,
  DurableFunction,
  MapOptions,
  PromiseOptions,
  SleepOptions,
} from "../context.ts";
import { ResonateError } from "../errors.ts";
import { Begun, Cell, Future, type Settled } from "../future.ts";
import type { Ended, Recorded } from "../journal/journal.ts";
import { type OptionFields, type OptionInput, Options, splitOptions } from "../options.ts";
import type { Trace } from "../tracing.ts";
import { attempt } from "./attempt.ts";
import { CallSignal } from "./call-signal.ts";
import { type Combining, combine, RULES } from "./combine.ts";
import { watchDeadline } from "./deadline.ts";
import type { Host } from "./host.ts";
import type { Ledger } from "./ledger.ts";
import { type Mapping, map } from "./map.ts";
import type { Operation } from "./operations.ts";
import { functionOf } from "./replay.ts";
import { type Callee, calleeOf, registeredVersion, remoteCalleeOf } from "./resolve.ts";
import { goOn, never, type Start, Starter } from "./starter.ts";

/** What one call of a function is about. */
export interface CallPlace {
  readonly id: string;
  readonly originId: string;
  readonly parentId: string;
  readonly branchId: string;
  readonly prefixId?: string | undefined;
  readonly timeoutAt: number;
  readonly attempt: number;
  readonly version: number;
  /** Name of the function. */
  readonly func: string;
}

export class CallContext implements Context {
  readonly id: string;
  readonly originId: string;
  readonly parentId: string;
  readonly branchId: string;
  readonly info: CallInfo;
  readonly func: string;
  readonly timeoutAt: number;
  readonly attempt: number;
  readonly version: number;
  /** Set before the first line of a generator runs. */
  isGenerator = false;
  /** The span of this attempt. */
  trace: Trace | undefined;
  readonly #host: Host;
  readonly #starter: Starter;
  readonly #signal: CallSignal;
  readonly #prefixId: string | undefined;
  readonly #nested = new Set<CallContext>();
  #abandoned = false;

  constructor(host: Host, place: CallPlace) {
    this.#host = host;
    this.#starter = new Starter(host, place);
    this.#prefixId = place.prefixId;
    this.id = place.id;
    this.originId = place.originId;
    this.parentId = place.parentId;
    this.branchId = place.branchId;
    this.func = place.func;
    this.timeoutAt = place.timeoutAt;
    this.attempt = place.attempt;
    this.version = place.version;
    this.info = { attempt: place.attempt, timeout: place.timeoutAt, version: place.version };
    this.#signal = new CallSignal(host, place);
  }

  // Made when they are asked for: there is a context for every step.

  get date(): { now(): Future<number> } {
    return { now: () => this.#observe("resonate:date", "now", Date) };
  }

  get math(): { random(): Future<number> } {
    return { random: () => this.#observe("resonate:math", "random", Math) };
  }

  get lfi(): Context["beginRun"] {
    return this.beginRun.bind(this);
  }

  get lfc(): Context["run"] {
    return this.run.bind(this);
  }

  get rfi(): Context["beginRpc"] {
    return this.beginRpc.bind(this);
  }

  get rfc(): Context["rpc"] {
    return this.rpc.bind(this);
  }

  /** What this call has started. */
  get ledger(): Ledger {
    return this.#starter.ledger;
  }

  get signal(): AbortSignal {
    return this.#signal.get();
  }

  run(fn: DurableFunction | string, ...given: unknown[]): Future<never> {
    return this.#starter.start(() => this.#call("run", fn, given));
  }

  beginRun(fn: DurableFunction | string, ...given: unknown[]): Begun<never> {
    return new Begun(this.run(fn, ...given));
  }

  rpc(fn: DurableFunction | string, ...given: unknown[]): Future<never> {
    return this.#starter.start(() => this.#call("rpc", fn, given));
  }

  beginRpc(fn: DurableFunction | string, ...given: unknown[]): Begun<never> {
    return new Begun(this.rpc(fn, ...given));
  }

  /** A `Begun`, or a future of the id: the flavour's context says which. */
  detached(fn: DurableFunction | string, ...given: unknown[]): never {
    const started = Promise.withResolvers<void>();
    const future = this.#starter.start(() => ({
      ...this.#dispatch("detached", fn, given),
      recorded: started.resolve,
    }));
    const generator = this.#host.flavour === "generator";
    const result = generator
      ? new Begun(future)
      : new Future(this.#onRecord(future.id, started.promise));
    return result as never;
  }

  #onRecord(id: string, started: Promise<void>): Cell {
    const cell = new Cell(id);
    this.ledger.add(cell);
    goOn(this.#host, started, () => cell.settle({ kind: "resolved", value: { id } }));
    return cell;
  }

  all(parts: Iterable<unknown>, options?: CombineOptions): Future<never> {
    return combine(this.#combining(), RULES.all, { parts, options });
  }

  allSettled(parts: Iterable<unknown>): Future<never> {
    return combine(this.#combining(), RULES.allSettled, { parts, options: undefined });
  }

  race(parts: Iterable<unknown>, options?: CombineOptions): Future<never> {
    return combine(this.#combining(), RULES.race, { parts, options });
  }

  any(parts: Iterable<unknown>, options?: CombineOptions): Future<never> {
    return combine(this.#combining(), RULES.any, { parts, options });
  }

  map(
    items: Iterable<unknown>,
    fn: DurableFunction | string,
    options: MapOptions<unknown> = {},
  ): Future<never> {
    return map(this.#combining(), fn, { items, options });
  }

  sleep(time: number | SleepOptions): Future<void> {
    const operation: Operation = {
      kind: "sleep",
      until: wakeAt(time, this.#host.clock.now()),
      target: this.#host.timerTarget(),
    };
    return this.#starter.start(() => ({ operation, options: {} }));
  }

  /** A `Begun`, or the future itself: the flavour's context says which. */
  promise({ data, timeout, tags }: PromiseOptions = {}): never {
    const { fields: options } = new Options({ timeout, tags });
    const operation: Operation = { kind: "promise", data };
    const future = this.#starter.start(() => ({ operation, options }));
    return (this.#host.flavour === "generator" ? new Begun(future) : future) as never;
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

  /** Another attempt of a function that this call has started. */
  nest(context: CallContext): void {
    this.#nested.add(context);
  }

  /** That attempt is over. */
  unnest(context: CallContext): void {
    this.#nested.delete(context);
  }

  /** Whether its promise has been settled by others, so that nothing it does counts. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** What it does is in vain from now on, and so is what it has running here. */
  abandon(reason: unknown): void {
    // Not recursive: a tree of calls may be deeper than the stack.
    const contexts = new Set<CallContext>([this]);
    for (const context of contexts) {
      context.#abandoned = true;
      context.#starter.abandon();
      context.#signal.abort(reason);
      for (const nested of context.#nested) contexts.add(nested);
    }
  }

  /** The call is over: its signal is let go, and operations that are asked for later are not done. */
  close(): void {
    this.#starter.close();
    this.#signal.close();
  }

  /** What the combinators need of this call. */
  #combining(): Combining & Mapping {
    return {
      host: this.#host,
      starter: this.#starter,
      record: (cell, id, outcome) => this.#record(cell, { id, outcome, leaf: false }),
      call: (via, fn, given) => this.#call(via, fn, given),
    };
  }

  #call(via: "run" | "rpc", fn: DurableFunction | string, given: readonly unknown[]): Start {
    return via === "run" ? this.#local(fn, given) : this.#dispatch(via, fn, given);
  }

  #local(fn: DurableFunction | string, given: readonly unknown[]): Start {
    const { args, options } = splitOptions(given);
    const callee = calleeOf(fn, options.version, this.#host.registry);
    return {
      operation: { kind: "run", func: callee.name, version: callee.version },
      options,
      chosen: options.id ?? callee.key?.(...args),
      perform: (cell, recorded) => this.#perform({ cell, recorded, callee, args, options }),
    };
  }

  #dispatch(
    kind: "rpc" | "detached",
    fn: DurableFunction | string,
    given: readonly unknown[],
  ): Start {
    const { args, options } = splitOptions(given);
    const { name, version, key } = remoteCalleeOf(fn, options.version, this.#host.registry);
    const operation: Operation = {
      kind,
      func: name,
      version,
      args,
      retry: options.retryPolicy?.encode(),
      target: this.#host.target(options.target),
    };
    const headers = this.trace?.headers();
    return { operation, options, headers, chosen: options.id ?? key?.(...args) };
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
        prefixId: this.#prefixId,
        timeoutAt: recorded.timeoutAt,
        version: callee.version,
        func: callee.name,
      },
      cell,
      parent: this,
      done: (outcome, leaf) => {
        over = true;
        unwatch();
        // Its deadline has passed, and that is what is on record.
        if (cell.phase === "settled") return;
        const ahead = this.#mayBeTold(recorded)
          ? (told: Settled) => this.#tell(cell, told)
          : undefined;
        this.#record(cell, { id: recorded.id, outcome, leaf, ahead });
      },
    });
    // Most functions are through already.
    if (!over) unwatch = watchDeadline(this.#host, cell, recorded);
  }

  /** Records how a step ended; its cell goes on with what is on record. */
  #record(cell: Cell, ended: Ended): void {
    goOn(this.#host, this.#host.journal.settle(ended), (settled) => this.#tell(cell, settled));
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
