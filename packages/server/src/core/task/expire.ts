import { groupOf, offer, offerAfterLoss } from "../offer.ts";
import type { Handler } from "../step.ts";
import { holds, viewTask } from "../view.ts";
import { withFailure } from "./failures.ts";

/** task.expire: the lease has run out, or its holder is known to be gone; the task is offered again. */
export const expireTask: Handler<"task.expire"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id, version, lost, untouched, group, onlyPolled }, world) {
    const view = viewTask(id, world);
    if (!view || !holds({ id, version }, view)) return {};
    const { dueAt = 0 } = view.task;
    if (!lost && dueAt > world.at) return {};
    const polledBy = groupOf(view.promise);
    if (group !== undefined && polledBy !== group) return {};
    if (onlyPolled && polledBy === undefined) return {};
    const ended = untouched ? view.task : withFailure(view.task);
    const offered = lost && !untouched ? offerAfterLoss : offer;
    const { task, messages } = offered(ended, view.promise, world);
    return { changes: [{ put: "task", record: task }], messages };
  },
};
