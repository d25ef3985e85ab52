/** What a dispatcher asks of the engine. */
import type { Assignment, Claimant } from "./execute.ts";
import type { TaskVersion } from "./offers.ts";

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
