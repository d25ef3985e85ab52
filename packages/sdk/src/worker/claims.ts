/** What a worker is offered, is given, and holds. */
import type { PromiseRecord, TaskRecord } from "@resonate-ts/protocol";
import type { Execution } from "../core/execution.ts";

/** A claim as the server grants it. */
export interface Claimed {
  readonly task: Pick<TaskRecord, "id" | "version" | "failures" | "cause">;
  readonly promise: PromiseRecord;
  readonly preload: readonly PromiseRecord[];
}

export interface Offer {
  readonly id: string;
  readonly version: number;
}

/** A claim that the server took for us. */
export interface Given extends Claimed {
  /** Its preload is what has settled since the task was last claimed. */
  readonly delta: boolean;
}

export interface Held extends Offer {
  readonly promise: PromiseRecord;
  /** Another one when it is replayed under this claim. */
  execution: Execution;
  /** How many claims in a row had ended without a verdict before this one, where the server counts. */
  readonly failures: number | undefined;
  /** How many of them were not begun by this process: it may be that they took their processes down. */
  readonly losses: number;
  /** How often it has been replayed under this claim. */
  replays: number;
  /** Its execution has been given up. */
  dropped: boolean;
  /** Its pass is over, and what follows from that is under way. */
  over: boolean;
}
