import { delayOf, isTimer, TAG, type TaskState } from "@resonate-ts/protocol";
import type { StoredTask } from "../records.ts";
import { leaseEnd } from "../task/claim.ts";
import {
  isSame,
  isWithin,
  ofPair,
  ofTaskStep,
  type Pair,
  type StepProperty,
  without,
} from "./model.ts";

const EDGES: Readonly<Record<TaskState, readonly TaskState[]>> = {
  pending: ["pending", "acquired", "halted", "fulfilled"],
  acquired: ["acquired", "pending", "suspended", "halted", "fulfilled"],
  suspended: ["suspended", "pending", "halted", "fulfilled"],
  halted: ["halted", "pending", "fulfilled"],
  fulfilled: ["fulfilled"],
};

/** 62 to 81: of tasks. */
export const taskStepProperties: readonly StepProperty[] = [
  ofPair(
    62,
    "monotone_task_set_grows",
    ({ before, after }) => before.task === undefined || after.task !== undefined,
  ),
  ofTaskStep(63, "monotone_task_version_increases_only_on_acquisition", (before, after) => {
    const claimed = before.state === "pending" && after.state === "acquired";
    return after.version === before.version + (claimed ? 1 : 0);
  }),
  ofTaskStep(
    64,
    "preserved_fulfilled_task",
    (before, after) => before.state !== "fulfilled" || isSame(before, after),
  ),
  ofTaskStep(65, "consistent_task_state_edge_admissible", (before, after) =>
    EDGES[before.state].includes(after.state),
  ),
  ofTaskStep(
    66,
    "preserved_task_acquisition_only_from_pending",
    (before, after) => !enters("acquired", before, after) || before.state === "pending",
  ),
  ofTaskStep(
    67,
    "preserved_task_suspension_only_from_acquired",
    (before, after) => !enters("suspended", before, after) || before.state === "acquired",
  ),
  ofTaskStep(
    68,
    "preserved_task_halted_only_reenters_via_pending",
    (before, after) =>
      before.state !== "halted" || ["halted", "pending", "fulfilled"].includes(after.state),
  ),
  ofPair(69, "consistent_task_birth_couples_promise_birth", isBornWithPromise),
  ofPair(70, "consistent_task_birth_state", isBornRight),
  ofTaskStep(
    71,
    "consistent_task_lease_released_atomically",
    (before, after) =>
      before.state !== "acquired" ||
      after.state === "acquired" ||
      (after.pid === undefined && after.ttl === undefined && after.version === before.version),
  ),
  ofTaskStep(
    72,
    "preserved_task_lease_holder_stable",
    (before, after) =>
      before.state !== "acquired" ||
      after.state !== "acquired" ||
      (before.pid === after.pid && before.ttl === after.ttl),
  ),
  ofTaskStep(
    73,
    "consistent_task_lease_fields_move_together",
    (before, after) =>
      (before.pid === undefined) === (before.ttl === undefined) &&
      (after.pid === undefined) === (after.ttl === undefined) &&
      (after.pid === undefined || after.dueAt !== undefined),
  ),
  ofTaskStep(
    74,
    "consistent_task_acquisition_is_atomic",
    (before, after, pair) =>
      !enters("acquired", before, after) ||
      (holdsLease(after, pair) && after.resumes === 0 && pair.after.resumedBy.length === 0),
  ),
  ofPair(
    75,
    "consistent_task_lease_deadline_is_now_plus_ttl",
    (pair) =>
      pair.after.task?.state !== "acquired" ||
      (pair.before.task?.state === "acquired" &&
        pair.before.task.dueAt === pair.after.task.dueAt) ||
      holdsLease(pair.after.task, pair),
  ),
  ofTaskStep(
    76,
    "consistent_task_pending_entry_arms_retry",
    (before, after, pair) =>
      !enters("pending", before, after) || after.dueAt === entryRetryAt(pair),
  ),
  ofTaskStep(
    77,
    "consistent_task_retry_rearm_only_when_due",
    (before, after, { to }) =>
      !rearms(before, after) || (before.dueAt !== undefined && before.dueAt <= to.at),
  ),
  ofTaskStep(
    78,
    "monotone_task_retry_rearm_advances",
    (before, after, { to }) =>
      !rearms(before, after) || (after.dueAt !== undefined && after.dueAt > to.at),
  ),
  ofTaskStep(
    79,
    "monotone_task_resumes_grow_or_clear",
    (before, after, pair) =>
      (after.resumes >= before.resumes || after.resumes === 0) &&
      (pair.after.resumedBy.length === 0 || isWithin(pair.before.resumedBy, pair.after.resumedBy)),
  ),
  ofTaskStep(
    80,
    "consistent_task_resumes_cleared_only_on_dispatch_or_park",
    (before, after) =>
      after.resumes >= before.resumes ||
      (after.resumes === 0 && ["acquired", "suspended", "fulfilled"].includes(after.state)),
  ),
  ofTaskStep(
    81,
    "consistent_task_wake_records_resume",
    (before, after, pair) =>
      before.state !== "suspended" ||
      after.state !== "pending" ||
      (after.resumes === 1 &&
        after.version === before.version &&
        isWithin(without(pair.before.awaits, pair.after.awaits), pair.after.resumedBy) &&
        after.dueAt === entryRetryAt(pair)),
  ),
];

function enters(state: TaskState, before: StoredTask, after: StoredTask): boolean {
  return after.state === state && before.state !== state;
}

function rearms(before: StoredTask, after: StoredTask): boolean {
  return before.state === "pending" && after.state === "pending" && before.dueAt !== after.dueAt;
}

function holdsLease({ pid, ttl, dueAt }: StoredTask, { to }: Pair): boolean {
  return pid !== undefined && ttl !== undefined && dueAt === leaseEnd(to.at, ttl);
}

/** Entering pending arms the retry for this instant; the task of a timer is never offered, so for its deadline. */
function entryRetryAt({ after: { promise }, to }: Pair): number | undefined {
  return promise && isTimer(promise.tags) ? promise.timeoutAt : to.at;
}

/** A new task comes with its new targeted promise, and the other way round. */
function isBornWithPromise({ before, after }: Pair): boolean {
  const bornTask = before.task === undefined && after.task !== undefined;
  const bornTarget = before.promise === undefined && after.promise?.tags[TAG.target] !== undefined;
  if (!bornTask || !after.task || !after.promise) return bornTask === bornTarget;
  const settled = after.promise.state !== "pending";
  return bornTarget && settled === (after.task.state === "fulfilled");
}

function isBornRight(pair: Pair): boolean {
  const { before, after, to } = pair;
  if (before.task || !after.task || !after.promise) return true;
  const { id, task, promise } = after;
  switch (task.state) {
    case "pending": {
      const delay = delayOf(promise.tags) ?? 0;
      const dueAt = delay > to.at ? delay : entryRetryAt(pair);
      return isSame(task, { id, state: "pending", version: 0, resumes: 0, dueAt });
    }
    case "acquired":
      return task.version === 1 && task.resumes === 0 && holdsLease(task, pair);
    case "fulfilled":
      return isSame(task, { id, state: "fulfilled", version: 0, resumes: 0 });
    case "suspended":
    case "halted":
      return false;
  }
}
