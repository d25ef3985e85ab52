/** States of promises as people say them. */
import type { PromiseState, TaskState } from "@resonate-ts/protocol";

export const PROMISE_STATES = [
  "pending",
  "resolved",
  "rejected",
  "rejected_canceled",
  "rejected_timedout",
] as const satisfies readonly PromiseState[];

export const TASK_STATES = [
  "pending",
  "acquired",
  "suspended",
  "halted",
  "fulfilled",
] as const satisfies readonly TaskState[];

/** A state at a glance: pending, resolved, anything else. */
export function lightOf(state: PromiseState): string {
  if (state === "pending") return "🟡";
  return state === "resolved" ? "🟢" : "🔴";
}

/** What a promise is or was, in words: `pending`, `resolved`, `rejected`, `canceled`, `timed out`. */
export function stateInWords(state: PromiseState): string {
  switch (state) {
    case "pending":
    case "resolved":
    case "rejected":
      return state;
    case "rejected_canceled":
      return "canceled";
    case "rejected_timedout":
      return "timed out";
  }
}
