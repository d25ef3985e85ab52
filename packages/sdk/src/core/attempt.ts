/** Calls a function until it has an outcome that counts. */
import type { DurableFunction } from "../context.ts";
import type { Cell, Settled } from "../future.ts";
import type { ErrorClass } from "../options.ts";
import { Exponential, type RetryPolicy } from "../retry.ts";
import { CallContext, type CallPlace } from "./call-context.ts";
import { drive } from "./drive.ts";
import type { Host } from "./host.ts";
import { goOn } from "./starter.ts";

/** How leaves are tried again when nobody says otherwise: after 2 s, 4 s, 8 s, 16 s, then every 30 s. */
const DEFAULT_POLICY = new Exponential();

export interface Work {
  readonly fn: DurableFunction;
  readonly args: readonly unknown[];
  readonly retryPolicy: RetryPolicy | undefined;
  readonly nonRetryableErrors: readonly ErrorClass[];
  readonly place: Omit<CallPlace, "attempt">;
  /** Parked and unparked as the function is. */
  readonly cell: Cell;
  /** Called once, with what it returned, or with what it threw when it is not tried again. */
  readonly done: (outcome: Settled) => void;
}

/**
 * Starts the first attempt, or the one given.
 *
 * Only leaves are tried again: a workflow's steps have retries of their own, and run again from the top it
 * would only meet the same recorded outcomes.
 */
export function attempt(host: Host, work: Work, count = 1): void {
  const context = new CallContext(host, { ...work.place, attempt: count });
  drive(() => work.fn(context, ...work.args), {
    ledger: context.ledger,
    turn: (callback) => host.clock.turn(callback),
    isGenerator: () => {
      context.isGenerator = true;
    },
    report: {
      parked: () => host.cascade(() => work.cell.park()),
      running: () => host.cascade(() => work.cell.unpark()),
      finished: (ended, style) => {
        context.close();
        // A retry policy may be the program's own, and throw.
        goOn(host, ended, (outcome) => {
          const leaf = style !== "generator" && context.ledger.started === 0;
          const delay =
            outcome.kind === "rejected" ? retryDelay(host, work, { outcome, leaf, count }) : null;
          if (delay === null) work.done(outcome);
          else host.after(delay, () => attempt(host, work, count + 1));
        });
      },
    },
  });
}

/** How long to wait before the next attempt, in ms; `null` for none. */
function retryDelay(
  host: Host,
  { retryPolicy, nonRetryableErrors, place }: Work,
  failed: {
    readonly outcome: { readonly error: unknown };
    readonly leaf: boolean;
    readonly count: number;
  },
): number | null {
  if (!failed.leaf) {
    if (retryPolicy) host.logger.warn({ id: place.id }, ignoredPolicy(place.id));
    return null;
  }
  if (nonRetryableErrors.some((type) => failed.outcome.error instanceof type)) return null;
  const delay = (retryPolicy ?? DEFAULT_POLICY).next(failed.count);
  if (delay === null || host.clock.now() + delay >= place.timeoutAt) return null;
  host.logger.debug(
    { id: place.id, attempt: failed.count, delay, error: failed.outcome.error },
    "A step failed and will be tried again.",
  );
  return delay;
}

function ignoredPolicy(id: string): string {
  return `The retry policy of '${id}' is ignored: it is a workflow, and only functions that start nothing durable are tried again. Give the policy to its steps.`;
}
