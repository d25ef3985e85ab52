/** What a side gives to be measured: ours in `ours.ts`, the limits in `limits.ts`, the peers in a folder of their own. */
import type { ChildProcess } from "node:child_process";
import type { ProgramName } from "./programs.ts";

/** Runs one of the programs to its end. */
export type Run = (id: string, program: ProgramName, count: number) => Promise<unknown>;

/** What there is before a side is opened. */
export interface Surroundings {
  /** An empty database, where the side wants one. */
  readonly database?: Database;
}

export interface Database {
  readonly url: string;
  /** A file with a line for each statement, where they are counted. */
  readonly log?: string;
}

export interface Running {
  readonly run: Run;
  /** Most memory that its server has taken, in KiB; absent without one, and where the system does not tell. */
  serverMemory?(): Promise<number | undefined>;
  /** Puts so many settled promises into the store. */
  fill?(count: number): Promise<void>;
  /** What its server has done until now. */
  effort?(): Promise<Effort>;
  close(): Promise<void>;
}

export interface Effort {
  /** Processor time, in ms. */
  readonly processorMs: number;
  /** Statements that the store has been asked. */
  readonly statements: number;
}

/** A workflow with many children, and a worker that is going to be killed. */
export interface CrashTest extends Surroundings {
  readonly id: string;
  readonly children: number;
  /** The file in which children note that they run. */
  readonly log: string;
}

export interface CrashSite {
  /** Starts the worker; the first time this also starts the workflow. */
  work(): ChildProcess;
  /** Settles when the workflow has its result. */
  readonly done: Promise<unknown>;
  /** Children whose results were on record before `at` (ms since the epoch), as they call themselves in the log. */
  recorded?(at: number): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

export interface Side {
  /** Gets ready, with so many processes that do the work. */
  open(workers: number, surroundings: Surroundings): Promise<Running>;
  crash?(test: CrashTest): Promise<CrashSite>;
}
