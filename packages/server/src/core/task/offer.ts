import { offerAgain } from "../offer.ts";
import type { Handler } from "../step.ts";
import { viewTask } from "../view.ts";

/** task.offer: the task is still pending when its offer is due; it is offered again. */
export const offerTask: Handler<"task.offer"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id, version }, world) {
    const view = viewTask(id, world);
    if (view?.task.state !== "pending" || view.task.version !== version) return {};
    if (view.task.dueAt === undefined || view.task.dueAt > world.at) return {};
    const { task, messages } = offerAgain(view.task, view.promise, world);
    return { changes: [{ put: "task", record: task }], messages };
  },
};
