import { PROTOCOL_VERSION, type RequestData } from "@resonate-ts/protocol";
import { createPromise } from "../promise/create.ts";
import { settlePromise } from "../promise/settle.ts";
import { noTask, notHeld, preloadOf } from "../replies.ts";
import type { Effects, Handler, Keys, Reply, World } from "../step.ts";
import { holds, viewTask } from "../view.ts";

type Action = RequestData["task.fence"]["action"];

/** task.fence: one promise operation, only while the caller holds the claim. The lease is not extended. */
export const fenceTask: Handler<"task.fence"> = {
  keys({ id, action }) {
    const inner = innerKeys(action);
    return { ...inner, promises: [id, ...(inner.promises ?? [])] };
  },

  apply({ id, version, action }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const { reply, ...effects } = innerApply(action, world);
    const inner = innerAnswer(action.kind, reply, head?.corrId ?? "0");
    const preload = preloadOf(view.promise, head);
    return { ...effects, reply: { status: 200, data: { action: inner }, preload } };
  },
};

function innerKeys(action: Action): Keys {
  return action.kind === "promise.create"
    ? createPromise.keys(action.data)
    : settlePromise.keys(action.data);
}

function innerApply(action: Action, world: World): Effects & { readonly reply?: Reply } {
  return action.kind === "promise.create"
    ? createPromise.apply(action.data, world)
    : settlePromise.apply(action.data, world);
}

/** The inner answer as an envelope; it carries the correlation id of the outer request. */
function innerAnswer(kind: string, reply: Reply | undefined, corrId: string) {
  const status = reply?.status ?? 500;
  const data = reply && "error" in reply ? reply.error : reply?.data;
  return { kind, head: { corrId, status, version: PROTOCOL_VERSION }, data };
}
