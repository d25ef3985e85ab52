import { noPromise, ok, publicPromise } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewPromise } from "../view.ts";

export const getPromise: Handler<"promise.get"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply({ id }, world) {
    const promise = viewPromise(id, world);
    return promise ? { reply: ok({ promise: publicPromise(promise) }) } : noPromise(id);
  },
};
