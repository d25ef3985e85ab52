import { birth } from "../birth.ts";
import { ok, publicPromise } from "../replies.ts";
import type { Handler } from "../step.ts";
import { viewPromise } from "../view.ts";

/** promise.create: the id alone decides; who comes second reads what the first created. */
export const createPromise: Handler<"promise.create"> = {
  keys: ({ id }) => ({ promises: [id] }),

  apply(given, world) {
    const existing = viewPromise(given.id, world);
    if (existing) return { reply: ok({ promise: publicPromise(existing) }) };
    const { promise, effects } = birth(given, world);
    return { reply: ok({ promise: publicPromise(promise) }), ...effects };
  },
};
