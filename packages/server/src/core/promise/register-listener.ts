import { isExternal } from "@resonate-ts/protocol";
import { noPromise, ok, publicPromise } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewPromise } from "../view.ts";
import { notAwaitable } from "./register-callback.ts";

/** promise.register_listener: the answer to a settled promise is the notice; nothing more is sent. */
export const registerListener: Handler<"promise.register_listener"> = {
  keys: ({ awaited }) => ({ promises: [awaited] }),

  apply({ awaited, address }, world) {
    const promise = viewPromise(awaited, world);
    if (!promise) return noPromise(awaited);
    if (!isExternal(promise.tags)) return notAwaitable(awaited);
    const reply = ok({ promise: publicPromise(promise) });
    if (promise.state !== "pending") return { reply };
    return { reply, changes: [{ put: "listener", record: { awaited, address } }] };
  },
};
