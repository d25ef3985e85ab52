/** Trees: what retention looks at. */
import { TAG, type Tags } from "@resonate-ts/protocol";
import { TREE_PAGE, type Tree, type TreeMember } from "../../core/step.ts";
import { hashOf, type Row, taskStateOf } from "../rows.ts";
import type { OldTree, OldTrees } from "../store.ts";
import type { Statements } from "./statements.ts";

/** Old trees among the promises after `after`, as `Store.oldTrees` says. */
export function findOldTrees(
  statements: Statements,
  { after, before, limit }: { after: number; before: number; limit: number },
): OldTrees {
  const rows = statements.oldPromises.all(after, limit);
  const trees = new Map<string, OldTree>();
  for (const row of rows) {
    if (Number(row["created_at"]) > before) return { trees: [...trees.values()] };
    if (Number(row["ends_at"]) > before) continue;
    const found = oldTree(row, statements);
    if (found && !trees.has(found.origin)) trees.set(found.origin, found);
  }
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return { trees: [...trees.values()], ...(last && { next: Number(last["seq"]) }) };
}

function oldTree(row: Row, statements: Statements): OldTree | undefined {
  const id = String(row["id"]);
  const tags = JSON.parse(String(row["tags"])) as Tags; // Written by this folder.
  const origin = row["is_root"] === 1 ? id : tags[TAG.origin];
  // A descendant is found by its root, unless there is none.
  if (origin === undefined || (origin !== id && statements.exists.get(origin))) return undefined;
  const caller = origin === id ? tags[TAG.caller] : undefined;
  const size = Number(statements.treeSize.get(hashOf(origin), origin)?.["size"]);
  return { origin, size, place: Number(row["seq"]), ...(caller !== undefined && { caller }) };
}

/** A tree, with the row numbers of its members noted in `seqs`. */
export function loadTree(origin: string, statements: Statements, seqs: Map<string, number>): Tree {
  const hash = hashOf(origin);
  const endsAt = Number(statements.treeEnd.get(hash, origin)?.["ends_at"] ?? 0);
  const rows = statements.treeMembers.all(hash, origin, TREE_PAGE);
  const root = rows.length < TREE_PAGE ? statements.treeRoot.all(origin) : [];
  const page = [...rows, ...root];
  for (const row of page) seqs.set(String(row["id"]), Number(row["seq"]));
  return { origin, endsAt, members: page.map(memberOf) };
}

function memberOf(row: Row): TreeMember {
  return {
    id: String(row["id"]),
    wanted: row["wanted"] !== 0,
    ...(row["due_at"] !== null && { dueAt: Number(row["due_at"]) }),
    ...(row["task_state"] !== null && { task: taskStateOf(row) }),
  };
}
