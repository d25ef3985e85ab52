import { noTask, notHeld, ok, publicPromise } from "../replies.ts";
import { settlement } from "../settlement.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";

/** task.fulfill: settles the promise of a claimed task. */
export const fulfillTask: Handler<"task.fulfill"> = {
  keys: ({ id }) => ({ promises: [id], obligations: [id] }),

  apply({ id, version, action }, world) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const { state, value } = action.data;
    const verdict = { state, value, settledAt: world.at };
    const { promise, effects } = settlement(view.promise, verdict, world, "holder");
    return { reply: ok({ promise: publicPromise(promise) }), ...effects };
  },
};
