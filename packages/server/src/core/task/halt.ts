import { noTask, ok, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewTask } from "../view.ts";
import { failuresOf } from "./failures.ts";

/** task.halt: stops a task until it is continued. What it awaits is still recorded. */
export const haltTask: Handler<"task.halt"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    const { state, version, resumes } = view.task;
    if (state === "fulfilled") return refuse(409, `Task '${id}' is fulfilled`);
    if (state === "halted") return { reply: ok() };
    const cause = head?.["resonate:cause"];
    const kept = { ...failuresOf(view.task), ...(cause !== undefined && { cause }) };
    const record = { id, state: "halted", version, resumes, ...kept } as const;
    return { reply: ok(), changes: [{ put: "task", record }] };
  },
};
