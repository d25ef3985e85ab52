import { type PromiseCreate, type ScheduleRecord, scheduledId, TAG } from "@resonate-ts/protocol";
import { birth } from "../birth.ts";
import type { Handler } from "../step.ts";
import { nextOccurrence } from "./cron.ts";

/** schedule.fire: one occurrence, once. What was missed while the server was down is fired in order, one by one. */
export const fireSchedule: Handler<"schedule.fire"> = {
  keys: ({ id }) => ({ schedules: [id] }),

  ahead({ id, occurrence }, world) {
    const schedule = world.schedule(id);
    return schedule ? [{ kind: "promises", ids: [promiseOf(schedule, occurrence).id] }] : [];
  },

  apply({ id, occurrence }, world) {
    const schedule = world.schedule(id);
    if (schedule?.nextRunAt !== occurrence || occurrence > world.at) return {};
    const nextRunAt = nextOccurrence(schedule.cron, occurrence) ?? Number.MAX_SAFE_INTEGER;
    const record = { ...schedule, lastRunAt: occurrence, nextRunAt };
    return {
      changes: [{ put: "schedule", record }],
      next: [
        { kind: "schedule.spawn", data: { promise: promiseOf(schedule, occurrence), occurrence } },
      ],
    };
  },
};

/** schedule.spawn: the occurrence's promise, unless its id is taken. */
export const spawnScheduled: Handler<"schedule.spawn"> = {
  keys: ({ promise }) => ({ promises: [promise.id] }),

  apply({ promise, occurrence }, world) {
    if (world.promise(promise.id)) return {};
    return birth(promise, world, { createdAt: occurrence }).effects;
  },
};

function promiseOf(schedule: ScheduleRecord, occurrence: number): PromiseCreate {
  const id = scheduledId(schedule.promiseId, { id: schedule.id, occurrence });
  return {
    id,
    // The longest time-outs end at the last instant that a number can tell.
    timeoutAt: Math.min(occurrence + schedule.promiseTimeout, Number.MAX_SAFE_INTEGER),
    param: schedule.promiseParam,
    tags: {
      ...schedule.promiseTags,
      [TAG.schedule]: schedule.id,
      [TAG.origin]: id,
      [TAG.branch]: id,
      [TAG.parent]: id,
    },
  };
}
