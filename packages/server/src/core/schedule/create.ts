import { ok, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { cronProblem, nextOccurrence } from "./cron.ts";

/** schedule.create: the id alone decides; the stored schedule wins. */
export const createSchedule: Handler<"schedule.create"> = {
  keys: ({ id }) => ({ schedules: [id] }),

  apply(given, world) {
    const existing = world.schedule(given.id);
    if (existing) return { reply: ok({ schedule: existing }) };
    const problem = cronProblem(given.cron, world.at);
    const nextRunAt = problem ? undefined : nextOccurrence(given.cron, world.at);
    if (nextRunAt === undefined) return refuse(400, `Invalid cron expression: ${problem}`);
    const schedule = { ...given, createdAt: world.at, nextRunAt };
    return { reply: ok({ schedule }), changes: [{ put: "schedule", record: schedule }] };
  },
};
