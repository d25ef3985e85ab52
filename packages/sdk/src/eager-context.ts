/** The context of the eager flavour: what the entry `/async` exports as `Context`. */
import type {
  CallArguments,
  Context,
  DurableFunction,
  FreeName,
  Functions,
  KnownName,
  PromiseOptions,
} from "./context.ts";
import type { Future } from "./future.ts";

/** As `DurableFunction`, where a function without types is given the eager context. */
// biome-ignore lint/suspicious/noExplicitAny: parameters of any type, in both variances; a program's own types are inferred from it.
export type EagerFunction = (ctx: EagerContext & Context, ...args: any[]) => any;

/** What a detached call gives once it is on record. */
export interface DetachedHandle {
  readonly id: string;
}

/** What a function that starts nothing durable needs of its context. */
export type Info = Pick<
  Context,
  | "id"
  | "parentId"
  | "originId"
  | "branchId"
  | "timeoutAt"
  | "attempt"
  | "version"
  | "func"
  | "signal"
  | "getDependency"
>;

/** As the context of the main entry, but `detached` and `promise` give promises, and nothing has to be begun. */
export interface EagerContext<R = Functions>
  extends Omit<
    Context<R>,
    | "beginRun"
    | "beginRpc"
    | "lfi"
    | "lfc"
    | "rfi"
    | "rfc"
    | "detached"
    | "promise"
    | "panic"
    | "assert"
    | "info"
  > {
  /**
   * Calls a registered function on any process of the option `target`, and lets it live on its own: its deadline is its
   * own, and this call does not wait for it. Gives its id, once it is on record.
   */
  detached<F extends DurableFunction>(fn: F, ...args: CallArguments<F>): Future<DetachedHandle>;
  detached<N extends KnownName<R>>(name: N, ...args: CallArguments<R[N]>): Future<DetachedHandle>;
  // biome-ignore lint/suspicious/noExplicitAny: by name nothing is known of arguments.
  detached(name: FreeName<R>, ...args: any[]): Future<DetachedHandle>;

  /** A promise that somebody outside settles, by its `id`: `resonate.promises.resolveValue(id, value)`. */
  // biome-ignore lint/suspicious/noExplicitAny: whoever settles it decides; the caller may say what it expects.
  promise<T = any>(options?: PromiseOptions): Future<T>;

  /** Gives up this pass when `condition` holds, by throwing: nothing is settled; the task is tried again later. */
  panic(condition: boolean, message?: string): void;
  /** Gives up this pass unless `condition` holds, by throwing: nothing is settled; the task is tried again later. */
  assert(condition: boolean, message?: string): void;
}
