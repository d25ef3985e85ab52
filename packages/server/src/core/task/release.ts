import { offer } from "../offer.ts";
import { noTask, notHeld, ok } from "../replies.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";

/** task.release: gives a claim back; the task is offered again at once. */
export const releaseTask: Handler<"task.release"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id, version }, world) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const { task, messages } = offer(view.task, view.promise, world);
    return { reply: ok(), changes: [{ put: "task", record: task }], messages };
  },
};
