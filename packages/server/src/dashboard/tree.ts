/** A run: all that was started for it, and who waits for whom in it. */
import { type ExecutionTree, TAG } from "@resonate-ts/protocol";
import type { Inside } from "../engine/inside.ts";
import type { Insight, Outline } from "../stores/insight.ts";
import { mayStart, nodeOf, parentOf, rootIdOf } from "./node.ts";
import { PART, turn } from "./walk.ts";

/** Most promises of a tree that are read. */
export const TREE_NODES_MAX = 20_000;
/** Most calls that are followed upwards, from a promise to the run that it belongs to. */
const LEVELS_MAX = 10_000;
/** Most edges that are told. */
const EDGES_MAX = 20_000;
/** Most callers whose calls one question is about. */
const CALLERS_MAX = 500;

/** The run that a promise belongs to; `undefined` when there is no such promise. */
export async function readTree(inside: Inside, id: string): Promise<ExecutionTree | undefined> {
  const { records } = inside;
  const top = await topOf(records, id);
  if (!top) return undefined;
  const { outlines, truncated } = await readOutlines(records, top);
  const edges = await edgesOf(records, outlines);
  const at = inside.now();
  const nodes = inOrder([...outlines.values()], top.id).map((outline) => nodeOf(outline, at));
  return { root: top.id, at, nodes, edges, ...(truncated && { truncated: true }) };
}

/** The promise at the top of the run: upwards from root to root, along the calls that made them. */
export async function topOf(records: Insight, id: string): Promise<Outline | undefined> {
  let [top] = await records.outlines([id]);
  const seen = new Set<string>();
  while (top && !seen.has(top.id) && seen.size < LEVELS_MAX) {
    seen.add(top.id);
    const root = rootIdOf(top);
    const above = root === top.id ? top.tags[TAG.caller] : root;
    if (above === undefined || above === top.id) return top;
    const [next] = await records.outlines([above]);
    // What it names may have been forgotten.
    if (!next) return top;
    top = next;
  }
  return top;
}

interface Collected {
  readonly outlines: ReadonlyMap<string, Outline>;
  readonly truncated: boolean;
}

/** All that is below `top`: the members of its tree, what those called by ids of their own, the members of those, … */
export async function readOutlines(records: Insight, top: Outline): Promise<Collected> {
  const outlines = new Map([[top.id, top]]);
  const wanted = new Set([rootIdOf(top)]);
  const asked = new Set<string>();
  let fresh: readonly Outline[] = [top];
  const full = () => outlines.size > TREE_NODES_MAX;
  while (fresh.length > 0 && !full()) {
    const origins = [...wanted].filter((origin) => !asked.has(origin));
    for (const origin of origins) asked.add(origin);
    const members = await gather(origins, (...asked) => records.members(...asked));
    const callers = [...fresh, ...members].filter(mayStart).map(({ id }) => id);
    const called = await gather(callers, (...asked) => records.called(...asked));
    const known = outlines.size;
    for (const one of members) if (asked.has(rootIdOf(one))) outlines.set(one.id, one);
    const callersKnown = new Set(callers);
    const joined = called.filter(({ tags }) => callersKnown.has(tags[TAG.caller] ?? ""));
    for (const one of joined) outlines.set(one.id, one);
    for (const one of joined) wanted.add(rootIdOf(one));
    fresh = outlines.size === known ? [] : joined;
  }
  const kept = [...outlines].slice(0, TREE_NODES_MAX);
  return { outlines: new Map(kept), truncated: full() };
}

/** What `read` finds for all of these texts, some of them at a time, and no more than a tree may have. */
async function gather(texts: readonly string[], read: Insight["members"]) {
  const found: Outline[] = [];
  let after = 0;
  for (let from = 0; from < texts.length && found.length <= TREE_NODES_MAX; ) {
    const part = await read(texts.slice(from, from + CALLERS_MAX), { after, limit: PART });
    for (const { outline } of part) found.push(outline);
    const last = part.length < PART ? undefined : part.at(-1);
    from += last?.by ?? CALLERS_MAX;
    after = last?.outline.place ?? 0;
    await turn();
  }
  return found;
}

/** Who awaits whom, but parents their children. */
async function edgesOf(
  records: Insight,
  outlines: ReadonlyMap<string, Outline>,
): Promise<ExecutionTree["edges"]> {
  const waiting = [...outlines.values()].filter(({ task }) => task?.state === "suspended");
  const edges: { readonly awaiter: string; readonly awaited: string }[] = [];
  for (let from = 0; from < waiting.length; from += CALLERS_MAX) {
    const some = waiting.slice(from, from + CALLERS_MAX).map(({ id }) => id);
    const found = await records.awaits(some, EDGES_MAX);
    for (const edge of found) {
      const awaited = outlines.get(edge.awaited);
      if (!awaited || parentOf(awaited) !== edge.awaiter) edges.push(edge);
    }
    if (edges.length >= EDGES_MAX) return edges.slice(0, EDGES_MAX);
    await turn();
  }
  return edges;
}

/** Parents before their children, else by creation. What has no parent here comes after the root. */
function inOrder(outlines: readonly Outline[], root: string): readonly Outline[] {
  const sorted = [...outlines].sort(
    (one, other) => one.createdAt - other.createdAt || one.place - other.place,
  );
  const ids = new Set(outlines.map(({ id }) => id));
  const children = Map.groupBy(sorted, (one) => {
    const parent = one.id === root ? undefined : parentOf(one);
    return parent !== undefined && ids.has(parent) ? parent : undefined;
  });
  const placed = new Set<Outline>();
  // By levels, so that children come after all that was created on their parent's level; a circle is reached by nobody.
  let level: readonly Outline[] = children.get(undefined) ?? [];
  while (level.length > 0) {
    for (const one of level) placed.add(one);
    level = level.flatMap(({ id }) => (children.get(id) ?? []).filter((one) => !placed.has(one)));
  }
  for (const one of sorted) placed.add(one);
  return [...placed];
}
