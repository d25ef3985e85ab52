import { offer } from "../offer.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";

/** task.expire: the lease has run out, or its holder is known to be gone; the task is offered again. */
export const expireTask: Handler<"task.expire"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id, version, lost }, world) {
    const view = viewTask(id, world);
    if (!view || !holds({ id, version }, view)) return {};
    const { dueAt = 0 } = view.task;
    if (!lost && dueAt > world.at) return {};
    const { task, messages } = offer(view.task, view.promise, world);
    return { changes: [{ put: "task", record: task }], messages };
  },
};
