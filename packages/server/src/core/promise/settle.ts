import { noPromise, ok, publicPromise } from "../replies.ts";
import { settlement } from "../settlement.ts";
import type { Handler } from "../step.ts";
import { viewPromise } from "../view.ts";

/** promise.settle: the first writer wins, and every later one reads what the first wrote. */
export const settlePromise: Handler<"promise.settle"> = {
  keys: ({ id }) => ({ promises: [id], obligations: [id] }),

  apply({ id, state, value }, world) {
    const current = viewPromise(id, world);
    if (!current) return noPromise(id);
    if (current.state !== "pending") return { reply: ok({ promise: publicPromise(current) }) };
    const { promise, effects } = settlement(current, { state, value, settledAt: world.at }, world);
    return { reply: ok({ promise: publicPromise(promise) }), ...effects };
  },
};
