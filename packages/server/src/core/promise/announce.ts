import { announcements } from "../settlement.ts";
import type { Handler } from "../step.ts";

/** promise.announce: the next page of those who wait for a settled promise; the last one clears its due instant. */
export const announcePromise: Handler<"promise.announce"> = {
  keys: ({ id }) => ({ promises: [id], obligations: [id] }),

  apply({ id }, world) {
    const promise = world.promise(id);
    if (!promise || promise.state === "pending" || promise.dueAt === undefined) return {};
    const obligations = world.obligations(id);
    const { dueAt: _, ...done } = promise;
    // Written again while more are left, so that the next page is due now and not at some later look.
    const record = obligations.more ? { ...done, dueAt: world.at } : done;
    return {
      changes: [{ put: "promise", record }],
      next: announcements(id, obligations),
    };
  },
};
