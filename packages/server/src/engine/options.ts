/** What an engine, and its dispatcher, are put together from. */
import type { CoreSettings } from "../core/step.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../stores/store.ts";
import type { Pusher } from "../transports/router.ts";
import type { Clock } from "./clock.ts";
import type { Observer } from "./engine.ts";
import type { Assignment, Claimant } from "./execute.ts";
import type { TaskVersion } from "./offers.ts";

export interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: CoreSettings;
  readonly serverUrl: string | undefined;
  /** Brings messages to `http://` and `https://` addresses. Without it they are not brought there. */
  readonly push?: Pusher | undefined;
  readonly logger: Logger;
  /**
   * How long those who held claims when the last process ended may take to come back, in ms. With 0 all claims
   * are free at once: right when they were held by that very process.
   */
  readonly restartGraceMs: number;
  /** How long ago a tree must have ended to be forgotten, in ms. Absent: nothing is. */
  readonly retentionAgeMs?: number | undefined;
  readonly observer?: Observer | undefined;
  /** Default 8 MiB. */
  readonly replyBytesMax?: number | undefined;
}

export interface DispatcherOptions {
  /** Whether other servers offer the same tasks: then only what somebody here may take is remembered. */
  readonly shared?: boolean;
  readonly serverUrl: string | undefined;
  readonly now: () => number;
  /** Claims a task for somebody, and calls `assigned`, or `unclaimed` when that could not be done. */
  readonly claim: (
    task: TaskVersion,
    claimant: Claimant,
    then: { assigned(assignment: Assignment): void; unclaimed(): void },
  ) => void;
  /** Takes back a claim that nobody is known to have received. */
  readonly takeBack: (claim: TaskVersion) => void;
  /** There is room again for offers that could not be remembered. */
  readonly refill: () => void;
}
