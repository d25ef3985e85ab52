import { isExternal, type RequestHead } from "@resonate-ts/protocol";
import { notAwaitable } from "../promise/register-callback.ts";
import type { StoredTask } from "../records.ts";
import { noTask, notHeld, ok, preloadOf, preloadOfTask, refuse } from "../replies.ts";
import type { Effects, Handler, Reply } from "../step.ts";
import { holds, type TaskView, viewPromise, viewTask } from "../view.ts";

/**
 * task.suspend: parks a task until one of the named promises settles; 300 when one has settled already, or,
 * to a worker that asks for the delta, when something it has not been shown has.
 *
 * The promises it was resumed by stay on record until they are shown.
 */
export const suspendTask: Handler<"task.suspend"> = {
  keys: ({ id, actions }) => ({ promises: [id, ...actions.map(({ data }) => data.awaited)] }),

  ahead({ id, actions }, world, head) {
    // Most are parked, and shown nothing; the delta of those is little to read.
    const goesOn = actions.some(
      ({ data }) => viewPromise(data.awaited, world)?.state !== "pending",
    );
    return goesOn || asksForDelta(head) ? preloadOfTask(id, world, head) : [];
  },

  apply({ id, version, actions }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const settled: string[] = [];
    for (const { data } of actions) {
      const awaited = viewPromise(data.awaited, world);
      if (!awaited) return refuse(422, `Awaited promise '${data.awaited}' does not exist`);
      if (!isExternal(awaited.tags)) return notAwaitable(awaited.id);
      if (awaited.state !== "pending") settled.push(awaited.id);
    }
    const unshown = asksForDelta(head) && view.task.resumes > 0;
    if (settled.length > 0 || unshown) return goOn(view, settled, head);
    const tangled = actions.every(({ data }) => world.task(data.awaited)?.state === "suspended");
    return {
      reply: ok(),
      changes: [
        { put: "task", record: suspended(view.task) },
        ...actions.map(({ data }) => ({ put: "callback", record: data }) as const),
      ],
      messages: tangled ? [{ kind: "tangled", id }] : [],
    };
  },
};

function goOn(
  { task, promise }: TaskView,
  settled: readonly string[],
  head: RequestHead | undefined,
): Effects & { readonly reply: Reply } {
  const preload = [...preloadOf(promise, head), { kind: "promises", ids: settled } as const];
  return {
    reply: { status: 300, data: {}, preload },
    changes: [
      ...(task.resumes > 0 ? [{ put: "task", record: { ...task, resumes: 0 } } as const] : []),
      ...(asksForDelta(head) ? [{ delete: "resumes", awaiter: task.id } as const] : []),
    ],
  };
}

function asksForDelta(head: RequestHead | undefined): boolean {
  return head?.["resonate:preload"] === "delta";
}

function suspended(task: StoredTask): StoredTask {
  return { id: task.id, state: "suspended", version: task.version, resumes: 0 };
}
