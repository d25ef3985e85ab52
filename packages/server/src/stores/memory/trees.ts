/** Trees: what retention looks at. */
import { TAG } from "@resonate-ts/protocol";
import { TREE_PAGE, type Tree, type TreeMember } from "../../core/step.ts";
import type { OldTree, OldTrees } from "../store.ts";
import type { Entry, Tables } from "./tables.ts";

/** Old trees among the promises after `after`, as `Store.oldTrees` says. */
export function findOldTrees(
  tables: Tables,
  { after, before, limit }: { after: number; before: number; limit: number },
): OldTrees {
  const trees = new Map<string, OldTree>();
  const entries = tables.createdAfter(after).take(limit).toArray();
  for (const entry of entries) {
    if (entry.promise.createdAt > before) return { trees: [...trees.values()] };
    if (endOf(entry) > before) continue;
    const found = oldTree(entry, tables);
    if (found && !trees.has(found.origin)) trees.set(found.origin, found);
  }
  const last = entries.length === limit ? entries.at(-1) : undefined;
  return { trees: [...trees.values()], ...(last && { next: last.seq }) };
}

function oldTree({ promise: { id, tags }, seq }: Entry, tables: Tables): OldTree | undefined {
  const origin = tags[TAG.origin] ?? id;
  // A descendant is found by its root, unless there is none.
  if (origin !== id && tables.promises.has(origin)) return undefined;
  const caller = origin === id ? tags[TAG.caller] : undefined;
  const size = treeOf(origin, tables).reduce((count) => count + 1, 0);
  return { origin, size, place: seq, ...(caller !== undefined && { caller }) };
}

export function loadTree(origin: string, tables: Tables): Tree {
  const endsAt = treeOf(origin, tables).reduce((end, entry) => Math.max(end, endOf(entry)), 0);
  const members = treeOf(origin, tables).take(TREE_PAGE).map(memberOf).toArray();
  return { origin, endsAt, members };
}

/** The promises of a tree, the root last. */
function* treeOf(origin: string, tables: Tables): Generator<Entry, void> {
  for (const id of tables.tagged(TAG.origin, origin)?.after() ?? []) yield tables.entry(id);
  const root = tables.promises.get(origin);
  if (root && (root.promise.tags[TAG.origin] ?? origin) === origin) yield root;
}

function memberOf({ promise: { id, dueAt }, task, ...entry }: Entry): TreeMember {
  const waits = entry.callbacks?.after().next().done === false;
  return {
    id,
    wanted: waits || (entry.resumed?.size ?? 0) > 0 || (entry.listeners?.size ?? 0) > 0,
    ...(dueAt !== undefined && { dueAt }),
    ...(task && { task: task.state }),
  };
}

/** When it settled, or will have by its deadline. */
function endOf({ promise: { settledAt, timeoutAt } }: Entry): number {
  return settledAt ?? timeoutAt;
}
