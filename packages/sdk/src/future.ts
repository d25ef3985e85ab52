/**
 * What this process knows about one durable operation.
 *
 * A `Cell` is the moving part, held by the core; a `Future` is what a program holds.
 *
 * I1. A cell is running, parked or settled. Running and parked alternate; settled is final.
 * I2. Running means that this process will move it. Parked means that something outside this process has to
 *     settle it first, or that the function behind it waits for such a thing. So a task has nothing left to do
 *     here exactly when its root is parked.
 * I3. Observers hear of a change before those who wait for the outcome.
 */

/** How an operation ended. */
export type Settled<T = unknown> =
  | { readonly kind: "resolved"; readonly value: T }
  | { readonly kind: "rejected"; readonly error: unknown };

export type Phase = "running" | "parked" | "settled";

/** Hears of every change of a cell it observes, synchronously: once before it and once after. */
export interface CellObserver {
  leaving(cell: Cell): void;
  entered(cell: Cell): void;
}

/** The state of one operation. Only the core touches it. */
export class Cell {
  readonly id: string;
  /** Its promise belongs to the function that started it: nobody else waits for it. */
  readonly cancelable: boolean;
  #phase: Phase = "running";
  #outcome: Settled | undefined;
  #joined: boolean;
  #awaited = false;
  readonly #observers: CellObserver[] = [];
  #waiters: ((outcome: Settled) => void)[] = [];

  constructor(
    id: string,
    {
      joined = true,
      cancelable = false,
    }: { readonly joined?: boolean; readonly cancelable?: boolean } = {},
  ) {
    this.id = id;
    this.#joined = joined;
    this.cancelable = cancelable;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Present exactly when the phase is settled. */
  get outcome(): Settled | undefined {
    return this.#outcome;
  }

  /** Whether the function that started it must not finish before it has settled. */
  get joined(): boolean {
    return this.#joined;
  }

  /** Whether somebody has asked for its outcome. */
  get awaited(): boolean {
    return this.#awaited;
  }

  observe(observer: CellObserver): void {
    this.#observers.push(observer);
  }

  observedBy(observer: CellObserver): boolean {
    return this.#observers.includes(observer);
  }

  park(): void {
    if (this.#phase === "running") this.#change(() => (this.#phase = "parked"));
  }

  unpark(): void {
    if (this.#phase === "parked") this.#change(() => (this.#phase = "running"));
  }

  /** Somebody who waits for it has started it too. */
  join(): void {
    if (!this.#joined) this.#change(() => (this.#joined = true));
  }

  /** Later calls do nothing. */
  settle(outcome: Settled): void {
    if (this.#phase === "settled") return;
    this.#change(() => {
      this.#phase = "settled";
      this.#outcome = outcome;
    });
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter(outcome);
  }

  /** Calls back with the outcome: now if it is there, else when it comes. */
  wait(waiter: (outcome: Settled) => void): void {
    if (this.#outcome) {
      waiter(this.#outcome);
      return;
    }
    this.#waiters.push(waiter);
    if (!this.#awaited) this.#change(() => (this.#awaited = true));
  }

  #change(mutate: () => void): void {
    for (const observer of this.#observers) observer.leaving(this);
    mutate();
    for (const observer of this.#observers) observer.entered(this);
  }
}

/** The cell behind a future. For the core; programs have no use for it. */
export let cellOf: (future: Future<unknown>) => Cell;

/** The body of a durable generator function that returns a `T`. */
export type Durable<T> = Generator<unknown, T, unknown>;

/**
 * A durable operation that has already started.
 *
 * One class serves both styles: `yield* future` in a generator and `await future` in an async function give
 * the same value and throw the same error, as often as they are asked. Keep it and wait later to run things
 * side by side. It is waited for by the function that started it.
 */
export class Future<T> implements Promise<T> {
  /** Id of the durable promise behind it; known at once. */
  readonly id: string;
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.id = cell.id;
    this.#cell = cell;
  }

  /** Whether the outcome is known here. For display: code that branches on it is not deterministic. */
  get state(): "pending" | "completed" {
    return this.#cell.phase === "settled" ? "completed" : "pending";
  }

  /** The outcome; `undefined` while `state` is `pending`. */
  get value():
    | { readonly kind: "value"; readonly value: T }
    | { readonly kind: "error"; readonly error: unknown }
    | undefined {
    const { outcome } = this.#cell;
    if (!outcome) return undefined;
    return outcome.kind === "resolved"
      ? { kind: "value", value: typed<T>(outcome.value) }
      : { kind: "error", error: outcome.error };
  }

  get [Symbol.toStringTag](): string {
    return "Future";
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what a future is for.
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    // biome-ignore lint/suspicious/noExplicitAny: as in the language, so that handlers may say what they expect.
    onRejected?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve, reject) => {
      this.#cell.wait((outcome) => {
        if (outcome.kind === "resolved") resolve(typed<T>(outcome.value));
        else reject(outcome.error);
      });
    }).then(onFulfilled, onRejected);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as in the language, so that handlers may say what they expect.
  catch<B = never>(onRejected?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.then().finally(onFinally);
  }

  *[Symbol.iterator](): Generator<Future<unknown>, T, unknown> {
    return typed<T>(yield this);
  }

  static {
    cellOf = (future) => future.#cell;
  }
}

/**
 * What `beginRun`, `beginRpc`, `detached` and `promise` give: the operation has started and its id is known.
 *
 * In a generator `yield*` gives its `Future` at once, and `yield*` of that gives the value. In an async
 * function `await` gives the value (a future is awaited away by the language itself).
 */
export class Begun<T> implements Promise<T> {
  /** Id of the durable promise; known at once. */
  readonly id: string;
  readonly future: Future<T>;

  constructor(future: Future<T>) {
    this.id = future.id;
    this.future = future;
  }

  get [Symbol.toStringTag](): string {
    return "Begun";
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for in async functions.
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    // biome-ignore lint/suspicious/noExplicitAny: as in the language, so that handlers may say what they expect.
    onRejected?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.future.then(onFulfilled, onRejected);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as in the language, so that handlers may say what they expect.
  catch<B = never>(onRejected?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.future.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.future.finally(onFinally);
  }

  // biome-ignore lint/correctness/useYield: it has started already, so there is nothing to wait for.
  *[Symbol.iterator](): Generator<never, Future<T>, unknown> {
    return this.future;
  }
}

/** The one place where an outcome gets its type: records carry none, so it is the caller's word. */
function typed<T>(value: unknown): T {
  return value as T;
}
