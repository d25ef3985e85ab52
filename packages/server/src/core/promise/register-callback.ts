import { isExternal, TAG } from "@resonate-ts/protocol";
import { noPromise, ok, publicPromise, refuse } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewPromise } from "../view.ts";

export const registerCallback: Handler<"promise.register_callback"> = {
  keys: ({ awaited, awaiter }) => ({ promises: [awaited, awaiter] }),

  apply({ awaited, awaiter }, world) {
    const promise = viewPromise(awaited, world);
    const waiting = viewPromise(awaiter, world);
    if (!promise) return noPromise(awaited);
    if (!waiting) return refuse(422, `Awaiter '${awaiter}' does not exist`);
    if (waiting.tags[TAG.target] === undefined) {
      return refuse(422, `Awaiter '${awaiter}' has no ${TAG.target}, so it cannot be resumed`);
    }
    if (!isExternal(promise.tags)) return notAwaitable(awaited);
    const reply = ok({ promise: publicPromise(promise) });
    if (promise.state !== "pending" || waiting.state !== "pending") return { reply };
    return { reply, changes: [{ put: "callback", record: { awaited, awaiter } }] };
  },
};

export function notAwaitable(id: string) {
  return refuse(
    422,
    `Promise '${id}' is not awaitable: it has neither ${TAG.target}, ${TAG.timer}, ${TAG.external}=true nor ${TAG.scope}=global`,
  );
}
