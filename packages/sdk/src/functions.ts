/** How functions are registered, and what registering them gives. */
import type { ResonateHandle } from "./client/handle.ts";
import type { Arguments, CallArguments, DurableFunction, Result } from "./context.ts";
import type { InputSchema } from "./input.ts";
import type { OptionInput, Options } from "./options.ts";

/** How a function is registered. */
export interface FunctionOptions<F> {
  /** A whole number from 1. Default 1. Register changed code under a new one: calls under way keep theirs. */
  readonly version?: number;
  /**
   * Gives the id of a call from its arguments. Every `ctx.run`, `ctx.rpc` and `ctx.detached` of this function that
   * names no id takes this one, so that equal calls share one result, in every workflow and for ever.
   */
  readonly key?: (...args: Arguments<F>) => string;
  /**
   * What the function accepts: a schema of each argument, or of the first. A call with anything else is rejected with
   * InputInvalidError, which names the path of what is wrong; the function does not run, and is not tried again.
   */
  readonly input?: InputSchema;
}

/** Options of a call made from outside; the id is an argument of its own there. */
export type ClientOptions = Omit<OptionInput, "id" | "nonRetryableErrors">;

/** A registered function; calls are bound to its version. */
export interface ResonateFunc<F extends DurableFunction> {
  run(id: string, ...args: CallArguments<F>): Promise<Result<F>>;
  rpc(id: string, ...args: CallArguments<F>): Promise<Result<F>>;
  beginRun(id: string, ...args: CallArguments<F>): Promise<ResonateHandle<Result<F>>>;
  beginRpc(id: string, ...args: CallArguments<F>): Promise<ResonateHandle<Result<F>>>;
  options(fields?: ClientOptions): Options;
}

/** A schedule that has been created. */
export interface ResonateSchedule {
  /** Fires no more; what it started goes on. */
  delete(): Promise<void>;
}
