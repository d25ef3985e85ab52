import { ok, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";

export const getSchedule: Handler<"schedule.get"> = {
  keys: ({ id }) => ({ schedules: [id] }),

  apply({ id }, world) {
    const schedule = world.schedule(id);
    return schedule ? { reply: ok({ schedule }) } : noSchedule(id);
  },
};

export function noSchedule(id: string) {
  return refuse(404, `Schedule '${id}' not found`);
}
