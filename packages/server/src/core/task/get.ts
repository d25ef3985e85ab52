import { noTask, ok, publicTask } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewTask } from "../view.ts";

export const getTask: Handler<"task.get"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id }, world) {
    const view = viewTask(id, world);
    return view ? { reply: ok({ task: publicTask(view.task) }) } : noTask(id);
  },
};
