import { isUnique, ofEntry, ofTask, type StateProperty } from "./model.ts";

/** 17 to 26: of tasks. A stored task's one timer is its lease while it is acquired, and its next offer while pending. */
export const taskStateProperties: readonly StateProperty[] = [
  ofTask(
    17,
    "well_formed_task_acquired_iff_has_pid",
    ({ state, pid }) => (pid !== undefined) === (state === "acquired"),
  ),
  ofTask(
    18,
    "well_formed_task_acquired_iff_has_ttl",
    ({ state, ttl }) => (ttl !== undefined) === (state === "acquired"),
  ),
  ofTask(
    19,
    "well_formed_task_acquired_iff_has_expires_at",
    ({ state, dueAt }) => state === "pending" || (dueAt !== undefined) === (state === "acquired"),
  ),
  ofTask(
    20,
    "well_formed_task_pending_iff_has_retry_at",
    ({ state, dueAt }) => state === "acquired" || (dueAt !== undefined) === (state === "pending"),
  ),
  ofTask(
    21,
    "well_formed_task_fulfilled_is_cleared",
    ({ state, pid, ttl, dueAt, resumes }) =>
      state !== "fulfilled" || ((pid ?? ttl ?? dueAt) === undefined && resumes === 0),
  ),
  ofTask(
    22,
    "well_formed_task_suspended_is_cleared",
    ({ state, pid, ttl, dueAt }) => state !== "suspended" || (pid ?? ttl ?? dueAt) === undefined,
  ),
  ofTask(
    23,
    "well_formed_task_halted_is_cleared",
    ({ state, pid, ttl, dueAt }) => state !== "halted" || (pid ?? ttl ?? dueAt) === undefined,
  ),
  ofTask(
    24,
    "well_formed_task_suspended_has_no_resumes",
    ({ state, resumes }) => state !== "suspended" || resumes === 0,
  ),
  // The record has their number, the rows say which: no row twice, and none counted that has no row.
  ofEntry(
    25,
    "well_formed_task_resumes_unique",
    ({ task, resumedBy }) => isUnique(resumedBy) && (task?.resumes ?? 0) <= resumedBy.length,
  ),
  ofTask(
    26,
    "well_formed_task_acquired_version_positive",
    ({ state, version }) => state !== "acquired" || version >= 1,
  ),
];
