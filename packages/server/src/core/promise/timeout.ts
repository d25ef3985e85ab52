import { project } from "../project.ts";
import { settlement } from "../settlement.ts";
import type { Handler } from "../step.ts";

/** promise.timeout: writes down what the projection has been saying since the deadline. */
export const timeoutPromise: Handler<"promise.timeout"> = {
  keys: ({ id }) => ({ promises: [id], obligations: [id] }),

  apply({ id }, world) {
    const stored = world.promise(id);
    if (stored?.state !== "pending") return {};
    const { state, value, settledAt } = project(stored, world.at);
    if (state === "pending" || settledAt === undefined) return {};
    return settlement(stored, { state, value, settledAt }, world).effects;
  },
};
