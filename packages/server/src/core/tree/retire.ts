import type { Handler, TreeMember } from "../step.ts";
import { viewPromise } from "../view.ts";

/**
 * tree.retire: deletes a page of a tree that ended at `before` or earlier, unless somebody has still to hear of it,
 * or the call that made it goes on. Descendants go first: as long as its root is there the tree is found again.
 */
export const retireTree: Handler<"tree.retire"> = {
  keys: ({ origin, caller }) => ({
    trees: [origin],
    ...(caller !== undefined && { promises: [caller] }),
  }),

  apply({ origin, caller, before }, world) {
    const { endsAt, members } = world.tree(origin);
    if (endsAt > before || members.some(isNeeded)) return {};
    if (caller !== undefined && viewPromise(caller, world)?.state === "pending") return {};
    return { changes: members.map(({ id }) => ({ delete: "promise", id })) };
  },
};

/** Something is left to be done with it. */
function isNeeded({ wanted, dueAt, task = "fulfilled" }: TreeMember): boolean {
  return wanted || dueAt !== undefined || task !== "fulfilled";
}
