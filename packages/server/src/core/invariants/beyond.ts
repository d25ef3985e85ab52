/** Beyond the 95: what only the server's own steps must keep, and the doors that the specification leaves open. */
import { delayOf, TAG, type TaskState } from "@resonate-ts/protocol";
import type { StepKind } from "../step.ts";
import {
  isSame,
  ofPair,
  ofPromise,
  ofPromiseStep,
  ofTask,
  ofTaskStep,
  type StateProperty,
  type StepProperty,
} from "./model.ts";

const OWN_STEPS: readonly StepKind[] = [
  "promise.timeout",
  "promise.announce",
  "promise.notify",
  "promise.notified",
  "task.resume",
  "task.offer",
  "task.expire",
  "schedule.fire",
  "schedule.spawn",
];

const OWN_EDGES: Readonly<Record<TaskState, readonly TaskState[]>> = {
  pending: ["pending", "fulfilled"],
  acquired: ["acquired", "pending", "fulfilled"],
  suspended: ["suspended", "pending", "fulfilled"],
  halted: ["halted", "fulfilled"],
  fulfilled: ["fulfilled"],
};

/** 95: of schedules. */
export const scheduleStepProperties: readonly StepProperty[] = [
  {
    number: 95,
    name: "preserved_schedule_birth_fields_immutable",
    of: "schedule",
    holds: ({ before, after }) =>
      !before ||
      !after ||
      (
        ["cron", "promiseId", "promiseTimeout", "promiseParam", "promiseTags", "createdAt"] as const
      ).every((field) => isSame(before.record[field], after.record[field])),
  },
];

/** 96 and 97: of the server's own steps. */
export const ownStepProperties: readonly StepProperty[] = [
  ofTaskStep(
    96,
    "consistent_task_state_edge_internal_admissible",
    (before, after, { step }) =>
      !OWN_STEPS.includes(step.kind) || OWN_EDGES[before.state].includes(after.state),
  ),
  ofPromiseStep(
    97,
    "consistent_promise_state_edge_internal_admissible",
    (before, after, { step }) =>
      !OWN_STEPS.includes(step.kind) ||
      before.state === after.state ||
      after.settledAt === after.timeoutAt,
  ),
];

/** 98 to 100: doors, closed. */
export const doorStateProperties: readonly StateProperty[] = [
  ofTask(98, "door_task_ttl_positive", ({ ttl }) => ttl === undefined || ttl > 0),
  ofPromise(99, "door_promise_target_non_empty", ({ tags }) => tags[TAG.target] !== ""),
  ofPromise(
    100,
    "door_promise_delay_before_deadline",
    ({ tags, timeoutAt }) => (delayOf(tags) ?? -1) < timeoutAt,
  ),
];

/** 101: of the configuration. */
export const doorStepProperties: readonly StepProperty[] = [
  ofPair(101, "door_retry_timeout_positive", ({ step }) => step.retryTimeoutMs > 0),
];
