/** debug.snap: the records as they are stored, past deadlines not looked at, and what they mean for the outside. */
import type { DebugSnapshot } from "@resonate-ts/protocol";
import { standingOffer } from "../offer.ts";
import type { Snapshot, StoredTask } from "../records.ts";
import { publicPromise, publicTask } from "../replies.ts";

/** What `debug.snap` answers at the instant `at`. */
export function snap(stored: Snapshot, at: number): DebugSnapshot {
  const { promises, tasks, callbacks, listeners } = stored;
  return {
    promises: promises.map(publicPromise),
    tasks: tasks.map(publicTask),
    promiseTimeouts: promises.flatMap(({ id, state, dueAt }) =>
      state === "pending" && dueAt !== undefined ? [{ id, timeout: dueAt }] : [],
    ),
    taskTimeouts: tasks.flatMap(timeoutsOf),
    callbacks: callbacks.map(({ awaiter, awaited }) => ({ awaiter, awaited })),
    listeners: listeners
      .filter(({ notifyAt }) => notifyAt === undefined)
      .map(({ awaited, address }) => ({ id: awaited, address })),
    messages: messagesOf(stored, at),
  };
}

function timeoutsOf({ id, state, dueAt }: StoredTask): DebugSnapshot["taskTimeouts"] {
  if (dueAt === undefined) return [];
  return [{ id, type: state === "pending" ? 0 : 1, timeout: dueAt }];
}

/** Nothing is stored of messages: a pending task is its own offer, and a listener of a settled promise its own notice. */
function messagesOf(stored: Snapshot, at: number): DebugSnapshot["messages"] {
  const promises = new Map(stored.promises.map((promise) => [promise.id, promise]));
  const offers = stored.tasks.flatMap(({ id, state, version }) => {
    const promise = promises.get(id);
    const address =
      state === "pending" && promise?.state === "pending" ? standingOffer(promise, at) : undefined;
    const message = { kind: "execute", head: {}, data: { task: { id, version } } } as const;
    return address === undefined ? [] : [{ address, message }];
  });
  const notices = stored.listeners.flatMap(({ awaited, address, notifyAt }) => {
    const promise = promises.get(awaited);
    if (notifyAt === undefined || !promise) return [];
    const data = { promise: publicPromise(promise) };
    return [{ address, message: { kind: "unblock", head: {}, data } as const }];
  });
  return [...offers, ...notices];
}
