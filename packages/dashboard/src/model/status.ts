/** What a promise is doing, in one word: its own state, and that of its task. */
import type { ExecutionNode } from "@resonate-ts/protocol";

export type Status =
  | "queued"
  | "running"
  | "waiting"
  | "sleeping"
  | "open"
  | "halted"
  | "done"
  | "failed"
  | "timed out"
  | "canceled";

/** In the order in which bars of several are drawn. */
export const STATUSES: readonly Status[] = [
  "done",
  "running",
  "waiting",
  "sleeping",
  "open",
  "queued",
  "canceled",
  "timed out",
  "halted",
  "failed",
];

/** What each status means, for whoever points at it. */
export const MEANINGS: Readonly<Record<Status, string>> = {
  queued: "waits for a worker to take it",
  running: "a worker is at it",
  waiting: "waits for what it has started",
  sleeping: "a timer that has not ended",
  open: "waits for somebody to settle it",
  halted: "was given up; it can be retried",
  done: "has a result",
  failed: "ended with an error",
  "timed out": "its deadline has passed",
  canceled: "was canceled",
};

export function statusOf(node: Pick<ExecutionNode, "state" | "kind" | "task">): Status {
  switch (node.state) {
    case "resolved":
      return "done";
    case "rejected":
      return "failed";
    case "rejected_canceled":
      return "canceled";
    case "rejected_timedout":
      return "timed out";
    case "pending":
      return pendingStatus(node);
  }
}

export function isSettled({ state }: Pick<ExecutionNode, "state">): boolean {
  return state !== "pending";
}

/** Whether it ended otherwise than it should, or cannot go on by itself. */
export function isBad(status: Status): boolean {
  return status === "failed" || status === "timed out" || status === "halted";
}

function pendingStatus({ kind, task }: Pick<ExecutionNode, "kind" | "task">): Status {
  switch (task?.state) {
    case "acquired":
    case "fulfilled":
      return "running";
    case "suspended":
      return "waiting";
    case "halted":
      return "halted";
    case "pending":
      return "queued";
    case undefined:
      return TASKLESS[kind];
  }
}

/** Without a task: whoever runs its parent is at a step. */
const TASKLESS: Readonly<Record<ExecutionNode["kind"], Status>> = {
  root: "open",
  rpc: "queued",
  run: "running",
  sleep: "sleeping",
  promise: "open",
};
