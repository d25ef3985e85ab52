import { publicPromise } from "../replies.ts";
import type { Handler } from "../step.ts";

/** How long a listener that cannot be reached is kept, in ms. It hears the result when it registers again. */
export const NOTICE_LIFETIME_MS = 600_000;

/** promise.notify: sends the settled promise to one listener; again after the retry time-out, until it was delivered. */
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
    const again = { awaited, address, notifyAt: world.at + world.settings.retryTimeoutMs };
    return {
      changes: [{ put: "listener", record: again }],
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
