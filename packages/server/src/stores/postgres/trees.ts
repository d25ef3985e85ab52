/** Trees: what retention looks at. */
import { TAG, type Tags } from "@resonate-ts/protocol";
import type { Tree, TreeMember } from "../../core/step.ts";
import { hashOf, type Row, taskStateOf } from "../rows.ts";
import type { OldTree, OldTrees } from "../store.ts";
import { OLD_PROMISES, TREE_SIZES, TREES, WHICH_EXIST } from "./statements.ts";
import type { Query } from "./transaction.ts";

/** Old trees among the promises after `after`, as `Store.oldTrees` says. */
export async function findOldTrees(
  query: Query,
  { after, before, limit }: { after: number; before: number; limit: number },
): Promise<OldTrees> {
  const rows = await query(OLD_PROMISES, [after, limit], "old promises");
  const young = rows.findIndex((row) => Number(row["created_at"]) > before);
  const looked = young === -1 ? rows : rows.slice(0, young);
  const ended = looked.filter((row) => Number(row["ends_at"]) <= before);
  const trees = await treesOf(ended, query);
  const last = young === -1 && rows.length === limit ? rows.at(-1) : undefined;
  return { trees, ...(last && { next: Number(last["seq"]) }) };
}

async function treesOf(rows: readonly Row[], query: Query): Promise<readonly OldTree[]> {
  const found = new Map<string, Omit<OldTree, "size">>();
  const orphans = await withoutRoot(rows, query);
  for (const row of rows) {
    const id = String(row["id"]);
    const origin = originOf(row);
    // A descendant is found by its root, unless there is none.
    if (origin === undefined || (origin !== id && !orphans.has(origin)) || found.has(origin))
      continue;
    const caller = origin === id ? tagsOf(row)[TAG.caller] : undefined;
    found.set(origin, {
      origin,
      place: Number(row["seq"]),
      ...(caller !== undefined && { caller }),
    });
  }
  const origins = [...found.keys()];
  if (origins.length === 0) return [];
  const sizes = await query(TREE_SIZES, [origins.map(hashOf), origins], "tree sizes");
  return sizes.flatMap((row) => {
    const tree = found.get(String(row["origin"]));
    return tree ? { ...tree, size: Number(row["size"]) } : [];
  });
}

/** The origins that descendants among `rows` name, and that are not there. */
async function withoutRoot(rows: readonly Row[], query: Query): Promise<ReadonlySet<string>> {
  const origins = rows.flatMap((row) => (row["is_root"] ? [] : (originOf(row) ?? [])));
  if (origins.length === 0) return new Set();
  const there = await query(WHICH_EXIST, [origins], "which exist");
  const known = new Set(there.map((row) => row["id"]));
  return new Set(origins.filter((origin) => !known.has(origin)));
}

function originOf(row: Row): string | undefined {
  return row["is_root"] ? String(row["id"]) : tagsOf(row)[TAG.origin];
}

function tagsOf(row: Row): Tags {
  return JSON.parse(String(row["tags"])) as Tags; // Written by this folder.
}

/** Trees, with the row numbers of their members noted in `seqs`. */
export async function loadTrees(
  origins: readonly string[],
  query: Query,
  seqs: Map<string, number>,
): Promise<readonly Tree[]> {
  if (origins.length === 0) return [];
  const rows = await query(TREES, [origins.map(hashOf), origins], "trees");
  const of = Map.groupBy(rows, (row) => row["origin"]);
  return origins.map((origin) => {
    const found = of.get(origin) ?? [];
    const members = found.filter((row) => originOf(row) === origin);
    for (const row of members) seqs.set(String(row["id"]), Number(row["seq"]));
    const endsAt = Number(found[0]?.["ends_at"] ?? 0);
    return { origin, endsAt, members: members.map(memberOf) };
  });
}

function memberOf(row: Row): TreeMember {
  return {
    id: String(row["id"]),
    wanted: row["wanted"] === true,
    ...(row["due_at"] !== null && { dueAt: Number(row["due_at"]) }),
    ...(row["task_state"] !== null && { task: taskStateOf(row) }),
  };
}
