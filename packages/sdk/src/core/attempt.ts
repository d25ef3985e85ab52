/** Calls a function until it has an outcome that counts. */
import type { DurableFunction } from "../context.ts";
import { isResonateError } from "../errors.ts";
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
  /**
   * Called once, with what it returned, or with what it threw when it is not tried again; and whether it is a leaf: it
   * started nothing.
   */
  readonly done: (outcome: Settled, leaf: boolean) => void;
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
          if (delay === null) work.done(outcome, leaf);
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
  const { error } = failed.outcome;
  if (isMisuse(error) || nonRetryableErrors.some((type) => error instanceof type)) return null;
  const delay = (retryPolicy ?? DEFAULT_POLICY).next(failed.count);
  if (delay === null || host.clock.now() + delay >= place.timeoutAt) return null;
  const log = failed.count === 1 ? host.logger.warn : host.logger.debug;
  log.call(
    host.logger,
    { id: place.id, attempt: failed.count, retryMs: delay, error },
    `'${place.id}' failed and is tried again in ${delay} ms, and then until its deadline or as its retry policy says.`,
  );
  return delay;
}

/** A call of this package that cannot be right, however often it is made. */
function isMisuse(error: unknown): boolean {
  return MISUSES.some((code) => isResonateError(error, code));
}

const MISUSES = ["ARGUMENT_INVALID", "ID_INVALID", "VERSION_INVALID", "VALUE_NOT_ENCODABLE"];

function ignoredPolicy(id: string): string {
  return `The retry policy of '${id}' is ignored: it is a workflow, and only functions that start nothing durable are tried again. Give the policy to its steps.`;
}
