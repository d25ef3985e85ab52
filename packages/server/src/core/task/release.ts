import { offer } from "../offer.ts";
import { noTask, notHeld, ok } from "../replies.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";
import { withFailure } from "./failures.ts";

/** task.release: gives a claim back, with a cause if the worker failed at it; the task is offered again at once. */
export const releaseTask: Handler<"task.release"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id, version }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const cause = head?.["resonate:cause"];
    const ended = cause === undefined ? view.task : withFailure(view.task, cause);
    const { task, messages } = offer(ended, view.promise, world);
    return { reply: ok(), changes: [{ put: "task", record: task }], messages };
  },
};
