import { TAG } from "@resonate-ts/protocol";
import {
  isAddress,
  isDead,
  isUnique,
  ofEntry,
  ofPromise,
  ofTask,
  type ScheduleEntry,
  type StateProperty,
} from "./model.ts";
import { offersNoTimer } from "./timer.ts";

/** 27 to 34: of schedules and of the store. */
export const storeStateProperties: readonly StateProperty[] = [
  // A schedule may ask for timers with a target, for the reason given at 9: what it made is not offered.
  ofEntry(
    27,
    "well_formed_schedule_promise_tags_not_timer_targeted",
    (entry) => entry.promise?.tags[TAG.schedule] === undefined || offersNoTimer(entry),
  ),
  ofSchedule(
    28,
    "well_formed_schedule_created_at_lte_next_run_at",
    ({ record }) => record.createdAt <= record.nextRunAt,
  ),
  ofSchedule(
    29,
    "well_formed_schedule_created_at_lte_last_run_at",
    ({ record }) => record.lastRunAt === undefined || record.createdAt <= record.lastRunAt,
  ),
  ofSchedule(
    30,
    "well_formed_schedule_last_run_at_lt_next_run_at",
    ({ record }) => record.lastRunAt === undefined || record.lastRunAt < record.nextRunAt,
  ),
  ofEntry(31, "well_formed_store_promise_ids_unique", ({ copies }) => copies.promises <= 1),
  ofEntry(32, "well_formed_store_task_ids_unique", ({ copies }) => copies.tasks <= 1),
  ofSchedule(33, "well_formed_store_schedule_ids_unique", ({ copies }) => copies <= 1),
  ofEntry(
    34,
    "well_formed_store_outbox_keys_unique",
    ({ executes, unblocks }) =>
      executes.length <= 1 && isUnique(unblocks.map(({ address }) => address)),
  ),
];

/** 35 to 45: across objects. */
export const couplingStateProperties: readonly StateProperty[] = [
  ofEntry(
    35,
    "consistent_task_iff_targeted_promise",
    ({ promise, task }) =>
      (task !== undefined) === (promise !== undefined && promise.tags[TAG.target] !== undefined),
  ),
  ofPromise(
    36,
    "consistent_settled_promise_has_fulfilled_task",
    ({ state }, { task }) => state === "pending" || !task || task.state === "fulfilled",
  ),
  ofTask(
    37,
    "consistent_settled_task_promise_settled",
    ({ state }, { promise }) =>
      state !== "fulfilled" || (promise !== undefined && promise.state !== "pending"),
  ),
  ofEntry(38, "consistent_callback_awaiter_is_targeted", ({ callbacks }, snapshot) =>
    callbacks.every((awaiter) => snapshot.entry(awaiter)?.promise?.tags[TAG.target] !== undefined),
  ),
  ofEntry(39, "consistent_listener_addresses_deliverable", ({ listeners }) =>
    listeners.every(isAddress),
  ),
  ofEntry(
    40,
    "consistent_outbox_execute_names_existing_task",
    ({ executes, task }) => executes.length === 0 || task !== undefined,
  ),
  ofEntry(41, "consistent_outbox_never_ahead", ({ executes, task }) =>
    executes.every(({ version }) => task !== undefined && version <= task.version),
  ),
  ofEntry(42, "consistent_outbox_execute_address_is_target_tag", ({ executes, promise }) =>
    executes.every(({ address }) => address === promise?.tags[TAG.target]),
  ),
  ofEntry(43, "consistent_outbox_unblock_names_settled_promise", ({ id, unblocks, promise }) =>
    unblocks.every(
      (unblock) =>
        promise !== undefined &&
        promise.state !== "pending" &&
        (unblock.promise === undefined ||
          (unblock.promise.id === id && unblock.promise.state === promise.state)),
    ),
  ),
  ofEntry(44, "consistent_outbox_unblock_address_deliverable", ({ unblocks }) =>
    unblocks.every(({ address }) => isAddress(address)),
  ),
  ofEntry(
    45,
    "consistent_suspended_task_holds_rung",
    ({ task, promise, awaits }, snapshot) =>
      task?.state !== "suspended" ||
      promise === undefined ||
      isDead(promise, snapshot) ||
      awaits.length > 0,
  ),
];

function ofSchedule(
  number: number,
  name: string,
  holds: (schedule: ScheduleEntry) => boolean,
): StateProperty {
  return { number, name, of: "schedule", holds };
}
