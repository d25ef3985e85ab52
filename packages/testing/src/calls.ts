/** The calls of functions in a lab: what is put in their place, how often, and which of them hold time still. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { DurableFunction } from "@resonate-ts/sdk";
import type { Activity } from "./activity.ts";

/** What a function is given. */
type GivenContext = Parameters<DurableFunction>[0];

/** One attempt at one call. */
export interface Call {
  readonly id: string;
  readonly name: string;
  /** The task whose claim it runs under. */
  readonly branchId: string;
  /** The process that runs it. */
  readonly process: string;
  /** How many durable operations it has started. */
  started: number;
  /** Started and not seen settled; the last one is looked at first. */
  readonly operations: { readonly state: "pending" | "completed" }[];
  /** Waits that only time ends. */
  waiting: number;
}

export class Calls {
  readonly #activity: Activity;
  readonly #mocks = new Map<DurableFunction | string, DurableFunction>();
  readonly #names = new Map<DurableFunction, string>();
  /** Async functions that have not ended. */
  readonly #open = new Set<Call>();
  readonly #current = new AsyncLocalStorage<Call>();
  readonly #entered = new Map<string, number>();
  /** Called with every call that begins. */
  onCall: (call: Call) => void = () => {};
  #changed = Promise.withResolvers<void>();

  constructor(activity: Activity) {
    this.#activity = activity;
  }

  /** How often the function of each promise was entered, retries and replays included. */
  get entered(): ReadonlyMap<string, number> {
    return this.#entered;
  }

  /** Says under which name a function is registered. */
  name(fn: DurableFunction, name: string): void {
    this.#names.set(fn, name);
  }

  mock(fn: DurableFunction | string, implementation: DurableFunction): void {
    this.#mocks.set(fn, implementation);
  }

  /** What calls functions in a process. */
  invoker(
    process: string,
  ): (fn: DurableFunction, ctx: GivenContext, args: readonly unknown[]) => unknown {
    return (fn, ctx, args) => this.#invoke(process, fn, ctx, args);
  }

  /** Forgets what a process was doing. */
  forget(process: string): void {
    for (const call of this.#open) if (call.process === process) this.#open.delete(call);
    this.#change();
  }

  /** Calls that do something which is no durable operation and does not wait for simulated time, as a request of their own. */
  busy(): Call[] {
    return [...this.#open].filter((call) => call.waiting === 0 && !isWaiting(call));
  }

  /** Resolves when a call ends or starts an operation. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Waits for something that only time brings, for the call that asks (if a call does). */
  async waitFor(time: Promise<void>): Promise<void> {
    const call = this.#current.getStore();
    if (call) call.waiting += 1;
    this.#change();
    await time;
    if (call) call.waiting -= 1;
    this.#change();
  }

  #invoke(
    process: string,
    fn: DurableFunction,
    ctx: GivenContext,
    args: readonly unknown[],
  ): unknown {
    const name = this.#names.get(fn) ?? fn.name;
    const { id, branchId } = ctx;
    const call: Call = { id, name, branchId, process, started: 0, operations: [], waiting: 0 };
    this.#entered.set(call.id, (this.#entered.get(call.id) ?? 0) + 1);
    this.#activity.event();
    this.onCall(call);
    const implementation = this.#mocks.get(fn) ?? this.#mocks.get(name) ?? fn;
    const watched = watch(ctx, (operation) => this.#started(call, operation));
    const returned = this.#current.run(call, () => implementation(watched, ...args));
    if (returned instanceof Promise) this.#follow(call, returned);
    return returned;
  }

  #follow(call: Call, ended: Promise<unknown>): void {
    this.#open.add(call);
    const end = () => {
      this.#open.delete(call);
      this.#change();
    };
    ended.then(end, end);
  }

  #started(call: Call, operation: unknown): void {
    if (!isOperation(operation)) return;
    call.started += 1;
    call.operations.push("future" in operation ? operation.future : operation);
    this.#change();
  }

  #change(): void {
    this.#activity.happened();
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

type Operation = { readonly state: "pending" | "completed" };

/** Whether something that it has started is under way. Drops what is seen settled. */
function isWaiting({ operations }: Call): boolean {
  for (let last = operations.at(-1); last; last = operations.at(-1)) {
    if (last.state === "pending") return true;
    operations.pop();
  }
  return false;
}

function isOperation(value: unknown): value is Operation | { readonly future: Operation } {
  const tag = Object.prototype.toString.call(value);
  return tag === "[object Future]" || tag === "[object Begun]";
}

/** The same context, whose operations are seen. */
function watch(ctx: GivenContext, started: (operation: unknown) => void): GivenContext {
  const watched = (method: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]) => {
      const result = method.apply(ctx, args);
      started(result);
      return result;
    };
  };
  return new Proxy(ctx, {
    get(target, name) {
      // The target is the receiver: its private fields are its own.
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === "function") return watched(value as (...args: unknown[]) => unknown);
      const isGroup = name === "date" || name === "math";
      return isGroup ? watchAll(value as Record<string, unknown>, started) : value;
    },
  });
}

/** `ctx.date` and `ctx.math`. */
function watchAll(
  group: Readonly<Record<string, unknown>>,
  started: (operation: unknown) => void,
): unknown {
  const entries = Object.entries(group).map(([name, method]) => [
    name,
    () => {
      const result: unknown = typeof method === "function" ? method.call(group) : method;
      started(result);
      return result;
    },
  ]);
  return Object.fromEntries(entries);
}
