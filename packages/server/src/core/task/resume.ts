import { offer } from "../offer.ts";
import type { Change } from "../records.ts";
import type { Effects, Handler, World } from "../step.ts";
import { viewTask } from "../view.ts";

/** task.resume: tells one awaiter that `awaited` settled, and crosses it off. */
export const resumeTask: Handler<"task.resume"> = {
  keys: ({ awaited, awaiter }) => ({ promises: [awaiter], obligations: [awaited] }),

  apply(callback, world) {
    if (!world.obligations(callback.awaited).callbacks.has(callback.awaiter)) return {};
    const crossedOff: Change = { delete: "callback", record: callback };
    const { changes = [], ...woken } = wake(callback, world);
    return { ...woken, changes: [crossedOff, ...changes] };
  },
};

function wake(
  callback: { readonly awaited: string; readonly awaiter: string },
  world: World,
): Effects {
  const view = viewTask(callback.awaiter, world);
  // Nobody waits for an awaiter whose own promise has settled, be it by its deadline just now.
  if (view?.promise.state !== "pending") return {};
  const resumed: Change = { put: "resume", record: callback };
  const task = { ...view.task, resumes: view.task.resumes + 1 };
  switch (task.state) {
    case "suspended": {
      const offered = offer({ ...task, resumes: 1 }, view.promise, world);
      return {
        changes: [{ put: "task", record: offered.task }, resumed],
        messages: offered.messages,
      };
    }
    case "pending":
    case "acquired":
    case "halted":
      return { changes: [{ put: "task", record: task }, resumed] };
    case "fulfilled":
      return {};
  }
}
