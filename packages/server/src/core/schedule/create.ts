import { ok, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { cronProblem, nextOccurrence } from "./cron.ts";

/** schedule.create: the id alone decides; the stored schedule wins. */
export const createSchedule: Handler<"schedule.create"> = {
  keys: ({ id }) => ({ schedules: [id] }),

  apply(given, world) {
    const problem = cronProblem(given.cron, world.at);
    const nextRunAt = problem ? undefined : nextOccurrence(given.cron, world.at);
    // What is asked for is judged before what is stored is looked at, as for every other kind.
    if (nextRunAt === undefined) return refuse(400, `Invalid cron expression: ${problem}`);
    const existing = world.schedule(given.id);
    if (existing) return { reply: ok({ schedule: existing }) };
    const schedule = { ...given, createdAt: world.at, nextRunAt };
    return { reply: ok({ schedule }), changes: [{ put: "schedule", record: schedule }] };
  },
};
