/** What follows from the answer of a provider. Pure. */
import type { Outcome, Route } from "./notification.ts";

/** What a provider said to one request. */
export type Answer =
  | { readonly kind: "accepted"; readonly messageId: string }
  /** Asking again is in vain. `gone`: so is this address, for ever. */
  | { readonly kind: "refused"; readonly why: string; readonly gone?: true }
  /** It has not been delivered, and may be later; not before `afterMs`, if the provider says so. */
  | { readonly kind: "busy"; readonly why: string; readonly afterMs?: number }
  /** It may have been delivered, or not. */
  | { readonly kind: "silent"; readonly why: string };

/** What to do next. */
export type Next =
  | { readonly kind: "over"; readonly fate: Fate }
  | { readonly kind: "again"; readonly afterMs: number };

/** Ask the provider whether it has the message. */
export interface Reconcile {
  readonly kind: "reconcile";
}

type Clear = Exclude<Answer, { kind: "silent" }>;

type Fate = Pick<Outcome, "outcome" | "messageId" | "why" | "unsubscribe">;

/** Wait before the second attempt, in ms; it doubles with every further one. */
const FIRST_WAIT_MS = 500;
const WAIT_MAX_MS = 60_000;
/** A provider that wants to be left alone for longer than this, in ms, is given up. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** After the `attempt`th request, counted from 1. */
export function judge(answer: Answer, route: Route, attempt: number): Next | Reconcile {
  if (answer.kind !== "silent") return judgeClear(answer, route, attempt);
  if (route.ambiguous === "reconcile") return { kind: "reconcile" };
  return route.ambiguous === "fail" || attempt >= route.attemptsMax
    ? over({ outcome: "unknown", why: answer.why })
    : again(attempt, 0);
}

function judgeClear(answer: Clear, route: Route, attempt: number): Next {
  switch (answer.kind) {
    case "accepted":
      return over({ outcome: "delivered", messageId: answer.messageId });
    case "refused": {
      const { why, gone } = answer;
      return over({ outcome: "failed", why, ...(gone && { unsubscribe: true }) });
    }
    case "busy": {
      const { why, afterMs = 0 } = answer;
      if (attempt >= route.attemptsMax) return over({ outcome: "failed", why });
      if (afterMs <= RETRY_AFTER_MAX_MS) return again(attempt, afterMs);
      return over({ outcome: "failed", why: `${why}, and asks to wait for more than an hour` });
    }
  }
}

/** After the provider was asked whether it has the message of the `attempt`th request; `busy` says that it has not. */
export function judgeFound(found: Answer, route: Route, attempt: number): Next {
  // What cannot be found out now is not asked for again: that it is unknown is on record.
  if (found.kind === "silent") return over({ outcome: "unknown", why: found.why });
  return judgeClear(found, route, attempt);
}

function over(fate: Fate): Next {
  return { kind: "over", fate };
}

function again(attempt: number, atLeastMs: number): Next {
  const afterMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), WAIT_MAX_MS);
  return { kind: "again", afterMs: Math.max(afterMs, atLeastMs) };
}
