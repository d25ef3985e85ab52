import { claimed, noTask, preloadOfTask, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewTask } from "../view.ts";
import { claim } from "./claim.ts";

export const acquireTask: Handler<"task.acquire"> = {
  keys: ({ id }) => ({ promises: [id] }),
  ahead: ({ id }, world, head) => preloadOfTask(id, world, head),

  apply({ id, version, pid, ttl }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (view.task.state !== "pending") return refuse(409, "Task is not pending");
    if (view.task.version !== version) return refuse(409, "Version mismatch");
    const { task, effects } = claim(view.task, { pid, ttl }, world);
    return { reply: claimed({ promise: view.promise, task }, head), ...effects };
  },
};
