/** What all the calls of one execution share, and how they reach it. */
import type { PromiseRecord } from "@resonate-ts/protocol";
import type { Context, DurableFunction } from "../context.ts";
import type { EagerContext } from "../eager-context.ts";
import type { Cell } from "../future.ts";
import type { Journal } from "../journal/journal.ts";
import type { Logger } from "../logger.ts";
import type { Registry } from "../registry.ts";
import type { Trace } from "../tracing.ts";
import type { ChosenCells } from "./chosen-cells.ts";
import type { Clock } from "./clock.ts";

/** Calls a function, or something in its place; gives what that returns, and throws what it throws. */
export type Invoke = (
  fn: DurableFunction,
  ctx: Context & EagerContext,
  args: readonly unknown[],
) => unknown;

/** What a process gives to every execution. */
export interface Surroundings {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dependencies: ReadonlyMap<string, unknown>;
  /** Every function is called through this, once per attempt. */
  readonly invoke: Invoke;
  /** The address of a target given by name; without a name, the default one. */
  target(name?: string): string;
  /** The target a timer has to carry for the server to act on it; mostly none. */
  timerTarget(): string | undefined;
  /** The entry that the program uses: what `promise` and `detached` give differs. */
  readonly flavour: "generator" | "async";
  /** How trees are spelled that begin here. */
  readonly dialect: "colon" | "dots";
  /** Asks to be told when a promise settles (then `Execution.heard` is called); gives it as it is now. */
  listen(id: string): Promise<PromiseRecord>;
  /** Cancels a promise and what was started for it; gives it as it is then. */
  cancel(id: string): Promise<PromiseRecord>;
  /** Whether a program may be told an outcome before it is on record. */
  readonly speculate: boolean;
}

export interface Host extends Surroundings {
  readonly journal: Journal;
  /** The pass that is under way. */
  readonly trace: Trace | undefined;
  /** Fires when the execution is given up. */
  readonly signal: AbortSignal;
  /** The execution has been given up: nothing it does counts any more. */
  readonly ended: boolean;
  /** The claim is being let go of, or is gone until the next one: what is asked for waits. */
  readonly parking: boolean;
  /** Ends the pass for a reason that is not the program's outcome. Only the first reason counts. */
  fault(error: unknown): void;
  /** Calls back after `ms`, unless the execution is given up before. */
  after(ms: number, callback: () => void): void;
  /** As `after`, but does not keep the process alive. The returned function cancels it. */
  background(ms: number, callback: () => void): () => void;
  /**
   * Takes a step that may lead to the same step one level up: before this returns if none is under way, else right
   * after that one. So the depth of a tree of calls costs no stack.
   */
  cascade(step: () => void): void;
  /** Watches a cell that something outside may have to settle. */
  track(cell: Cell): void;
  /** An operation has been asked for. If the task is parked that is done under its next claim only. */
  asked(): void;
  /** A creation is on its way whose promise counts as parked already: no pass ends before its answer. */
  creating(answer: Promise<unknown>): void;
  /** The cells of ids chosen by the program, so that one id is one piece of work. */
  readonly chosen: ChosenCells;
}
