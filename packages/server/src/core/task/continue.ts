import { offer } from "../offer.ts";
import { noTask, ok, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewTask } from "../view.ts";
import { withoutFailures } from "./failures.ts";

/** task.continue: offers a halted task again. */
export const continueTask: Handler<"task.continue"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id }, world) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (view.task.state !== "halted") return refuse(409, `Task '${id}' is not halted`);
    const { task, messages } = offer(withoutFailures(view.task), view.promise, world);
    return { reply: ok(), changes: [{ put: "task", record: task }], messages };
  },
};
