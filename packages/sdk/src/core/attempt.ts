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
  /** The call that started it. */
  readonly parent?: CallContext;
  /**
   * Called once, with what it returned, or with what it threw when it is not tried again; and whether it is a leaf: it
   * started nothing.
   */
  readonly done: (outcome: Settled, leaf: boolean) => void;
}

/**
 * Starts the first attempt, and others as long as it makes sense.
 *
 * Only leaves are tried again: a workflow's steps have retries of their own, and run again from the top it
 * would only meet the same recorded outcomes.
 */
export function attempt(host: Host, work: Work): void {
  const { cell, parent } = work;
  let context: CallContext | undefined;
  // Settled before the attempt is over: that was somebody else, who has canceled it.
  cell.observe({
    leaving() {},
    entered({ outcome }) {
      if (outcome?.kind === "rejected") context?.abandon(outcome.error);
    },
  });
  const begin = (count: number) => {
    if (cell.phase === "settled" || parent?.abandoned) return;
    const current = new CallContext(host, { ...work.place, attempt: count });
    context = current;
    parent?.nest(current);
    const { id, func } = work.place;
    current.trace = (parent?.trace ?? host.trace)?.step({ id, func, attempt: count });
    const over = (outcome: Settled) => {
      current.trace?.end(outcome.kind === "rejected" ? outcome : undefined);
      context = undefined;
      parent?.unnest(current);
      current.close();
    };
    once(host, { work, context: current, count, over, again: begin });
  };
  begin(1);
}

function once(
  host: Host,
  turn: {
    readonly work: Work;
    readonly context: CallContext;
    readonly count: number;
    readonly over: (outcome: Settled) => void;
    readonly again: (count: number) => void;
  },
): void {
  const { work, context, count, over, again } = turn;
  const call = () => host.invoke(work.fn, context, work.args);
  drive(() => (context.trace ? context.trace.run(call) : call()), {
    ledger: context.ledger,
    turn: (callback) => host.clock.turn(callback),
    isGenerator: () => {
      context.isGenerator = true;
    },
    report: {
      parked: () => host.cascade(() => work.cell.park()),
      running: () => host.cascade(() => work.cell.unpark()),
      // Not an outcome of the program: mended, it can still get one.
      broken: (error) => host.fault(error),
      finished: (ended, style) => {
        over(ended);
        // A retry policy may be the program's own, and throw.
        goOn(host, ended, (outcome) => {
          const leaf = style !== "generator" && context.ledger.started === 0;
          const delay =
            outcome.kind === "rejected" ? retryDelay(host, work, { outcome, leaf, count }) : null;
          if (delay === null) work.done(outcome, leaf);
          else host.after(delay, () => again(count + 1));
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

const MISUSES = [
  "ARGUMENT_INVALID",
  "ID_INVALID",
  "INPUT_INVALID",
  "VALUE_NOT_ENCODABLE",
  "VALUE_TOO_LARGE",
  "VERSION_INVALID",
];

function ignoredPolicy(id: string): string {
  return `The retry policy of '${id}' is ignored: it is a workflow, and only functions that start nothing durable are tried again. Give the policy to its steps.`;
}
