import { birth } from "../birth.ts";
import { claimed, preloadOf, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewPromise, viewTask } from "../view.ts";
import { claim } from "./claim.ts";

/** task.create: creates a promise and claims its task, or claims the task that is there. */
export const createTask: Handler<"task.create"> = {
  keys: ({ action }) => ({ promises: [action.data.id] }),
  ahead: ({ action }, world, head) => preloadOf(world.promise(action.data.id) ?? action.data, head),

  apply({ pid, ttl, action }, world, head) {
    const { id } = action.data;
    const existing = viewPromise(id, world);
    if (!existing) {
      const { promise, task, effects } = birth(action.data, world, { claim: { pid, ttl } });
      if (!task) return refuse(422, `Promise '${id}' has no task`);
      return { reply: claimed({ promise, task }, head), ...effects };
    }
    const view = viewTask(id, world);
    if (!view) return refuse(422, `Promise '${id}' exists and has no task`);
    switch (view.task.state) {
      case "fulfilled":
        return { reply: claimed(view, head) };
      case "pending": {
        const { task, effects } = claim(view.task, { pid, ttl }, world);
        return { reply: claimed({ promise: view.promise, task }, head), ...effects };
      }
      case "acquired":
      case "suspended":
      case "halted":
        return refuse(409, "Already exists");
    }
  },
};
