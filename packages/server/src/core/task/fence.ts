import {
  PROTOCOL_VERSION,
  type PromiseRecord,
  type PromiseSettle,
  type RequestData,
} from "@resonate-ts/protocol";
import { createPromise } from "../promise/create.ts";
import { settlePromise } from "../promise/settle.ts";
import type { Change, StoredTask } from "../records.ts";
import { noTask, notHeld, preloadOf, preloadOfTask } from "../replies.ts";
import type { Effects, Handler, Keys, Reply, World } from "../step.ts";
import { holds, viewTask } from "../view.ts";
import { withoutFailures } from "./failures.ts";

type Action = RequestData["task.fence"]["action"];
type Applied = Effects & { readonly reply?: Reply };

/**
 * task.fence: one promise operation, only while the caller holds the claim; or a settle and, where it holds, the
 * creation of what comes next. The lease is not extended.
 */
export const fenceTask: Handler<"task.fence"> = {
  keys({ id, action, then }) {
    const inner = innerKeys(action);
    const next = then ? innerKeys(then) : {};
    return { ...inner, promises: [id, ...(inner.promises ?? []), ...(next.promises ?? [])] };
  },

  ahead: ({ id }, world, head) => preloadOfTask(id, world, head),

  apply({ id, version, action, then }, world, head) {
    const view = viewTask(id, world);
    if (!view) return noTask(id);
    if (!holds({ id, version }, view)) return notHeld(id, version);
    const first = innerApply(action, world);
    // Reads another promise than the first one wrote, so it sees the world as it is after it.
    const second = then && isOnRecord(action, first.reply) ? innerApply(then, world) : undefined;
    const corrId = head?.corrId ?? "0";
    const data = {
      action: innerAnswer(action.kind, first.reply, corrId),
      // biome-ignore lint/suspicious/noThenProperty: the wire's name; its value is an object, so nothing awaits it.
      ...(then && second && { then: innerAnswer(then.kind, second.reply, corrId) }),
    };
    const reply = { status: 200, data, preload: preloadOf(view.promise, head) } as const;
    const effects = both(first, second);
    return { ...effects, changes: [...effects.changes, ...progress(view.task, effects)], reply };
  },
};

function innerKeys(action: Action): Keys {
  return action.kind === "promise.create"
    ? createPromise.keys(action.data)
    : settlePromise.keys(action.data);
}

function innerApply(action: Action, world: World): Applied {
  return action.kind === "promise.create"
    ? createPromise.apply(action.data, world)
    : settlePromise.apply(action.data, world);
}

/** A claim that records something gets on: the claims before it that ended without a verdict count no more. */
function progress(task: StoredTask, { changes }: ReturnType<typeof both>): readonly Change[] {
  const forgives = task.failures !== undefined && changes.length > 0;
  return forgives ? [{ put: "task", record: withoutFailures(task) }] : [];
}

/** Whether the settled promise says now what was asked for, be it since now or since before. */
function isOnRecord({ data }: Action, reply: Reply | undefined): boolean {
  if (!reply || !("data" in reply) || !("state" in data)) return false;
  const settled: PromiseSettle = data;
  // A settle is answered with the promise.
  const promise = reply.data["promise"] as PromiseRecord;
  return promise.state === settled.state && promise.value.data === settled.value.data;
}

function both(first: Effects, second: Effects = {}): Required<Effects> {
  return {
    changes: [...(first.changes ?? []), ...(second.changes ?? [])],
    messages: [...(first.messages ?? []), ...(second.messages ?? [])],
    next: [...(first.next ?? []), ...(second.next ?? [])],
  };
}

/** The inner answer as an envelope; it carries the correlation id of the outer request. */
function innerAnswer(kind: string, reply: Reply | undefined, corrId: string) {
  const status = reply?.status ?? 500;
  const data = reply && "error" in reply ? reply.error : reply?.data;
  return { kind, head: { corrId, status, version: PROTOCOL_VERSION }, data };
}
