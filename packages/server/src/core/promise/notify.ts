import { publicPromise } from "../replies.ts";
import type { Handler } from "../step.ts";

/** How long a listener that cannot be reached is kept, in ms. It hears the result when it registers again. */
export const NOTICE_LIFETIME_MS = 600_000;

/** How soon a notice is tried again at first, in ms. */
export const NOTICE_RETRY_MS_FIRST = 1_000;

/**
 * promise.notify: sends the settled promise to one listener, and again until it was delivered: after a second, then
 * as long again as it is old, but no later than after the retry time-out.
 */
export const notifyListener: Handler<"promise.notify"> = {
  keys: (key) => ({ promises: [key.awaited], listeners: [key] }),

  apply({ awaited, address }, world) {
    const promise = world.promise(awaited);
    const listener = world.listener({ awaited, address });
    if (!listener || promise?.settledAt === undefined) return {};
    const { notifyAt = world.at } = listener;
    if (notifyAt > world.at) return {};
    if (world.at - promise.settledAt > NOTICE_LIFETIME_MS && listener.notifyAt !== undefined) {
      return { changes: [{ delete: "listener", record: { awaited, address } }] };
    }
    const age = world.at - promise.settledAt;
    const wait = Math.min(Math.max(age, NOTICE_RETRY_MS_FIRST), world.settings.retryTimeoutMs);
    return {
      changes: [{ put: "listener", record: { awaited, address, notifyAt: world.at + wait } }],
      messages: [{ kind: "unblock", address, promise: publicPromise(promise) }],
    };
  },
};

/** promise.notified: the notice has been delivered. */
export const notifiedListener: Handler<"promise.notified"> = {
  keys: ({ awaited }) => ({ promises: [awaited] }),

  apply({ awaited, address }, world) {
    if (world.promise(awaited)?.settledAt === undefined) return {};
    return { changes: [{ delete: "listener", record: { awaited, address } }] };
  },
};
