/** What all the calls of one execution share, and how they reach it. */
import type { Cell } from "../future.ts";
import type { Journal } from "../journal/journal.ts";
import type { Logger } from "../logger.ts";
import type { Registry } from "../registry.ts";
import type { ChosenCells } from "./chosen-cells.ts";
import type { Clock } from "./clock.ts";

/** What a process gives to every execution. */
export interface Surroundings {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dependencies: ReadonlyMap<string, unknown>;
  /** The address of a target given by name; without a name, the default one. */
  target(name?: string): string;
  /** The target a timer has to carry for the server to act on it; mostly none. */
  timerTarget(): string | undefined;
  /** Whether a program may be told an outcome before it is on record. */
  readonly speculate: boolean;
}

export interface Host extends Surroundings {
  readonly journal: Journal;
  /** Fires when the execution is given up. */
  readonly signal: AbortSignal;
  /** The execution has been given up: nothing it does counts any more. */
  readonly ended: boolean;
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
