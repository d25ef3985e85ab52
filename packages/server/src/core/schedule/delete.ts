import { ok } from "../replies.ts";
import type { Handler } from "../step.ts";
import { noSchedule } from "./get.ts";

/** schedule.delete: what it has fired stays. */
export const deleteSchedule: Handler<"schedule.delete"> = {
  keys: ({ id }) => ({ schedules: [id] }),

  apply({ id }, world) {
    if (!world.schedule(id)) return noSchedule(id);
    return { reply: ok(), changes: [{ delete: "schedule", id }] };
  },
};
