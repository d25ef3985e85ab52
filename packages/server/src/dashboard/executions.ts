/** Runs, the newest first. */
import type { ExecutionNode, ExecutionPage, PromiseState } from "@resonate-ts/protocol";
import type { Inside } from "../engine/inside.ts";
import type { Insight, Outline } from "../stores/insight.ts";
import { nodeOf, rootIdOf } from "./node.ts";
import { PART, turn } from "./walk.ts";

export interface ExecutionsWanted {
  /** `halted`: all calls whose task is halted, those below a run too. */
  readonly state?: PromiseState | "halted" | undefined;
  readonly idPrefix?: string | undefined;
  readonly func?: string | undefined;
  readonly limit: number;
  /** The place before which it goes on. */
  readonly before?: number | undefined;
}

/** Most runs that are looked at for one page. What it has not reached is on the next page. */
const SCAN_MAX = 20_000;

export async function readExecutions(
  inside: Inside,
  wanted: ExecutionsWanted,
): Promise<ExecutionPage> {
  const list = await listFor(inside.records, wanted);
  const executions: ExecutionNode[] = [];
  let { before } = wanted;
  for (let scanned = 0; scanned < SCAN_MAX; scanned += PART) {
    // Without a filter no more is read than is wanted.
    const limit = isFiltered(wanted) ? PART : wanted.limit;
    const part = await list({ before, limit });
    const at = inside.now();
    for (const outline of part) {
      const node = nodeOf(outline, at);
      before = outline.place;
      if (matches(node, wanted)) executions.push(node);
      if (executions.length === wanted.limit) return { executions, cursor: cursorAt(before) };
    }
    if (part.length < limit) return { executions };
    await turn();
  }
  return { executions, ...(before !== undefined && { cursor: cursorAt(before) }) };
}

type List = Insight["runs"];

async function listFor(records: Insight, { state, idPrefix }: ExecutionsWanted): Promise<List> {
  if (state === "halted") return (part) => records.halted(part);
  const few = idPrefix ? await allNamed(records, idPrefix) : undefined;
  if (!few) return (part) => records.runs(part);
  return async ({ before = Number.POSITIVE_INFINITY, limit }) =>
    few.filter(({ place }) => place < before).slice(0, limit);
}

/** Most promises whose ids start alike that are read to find the runs among them. */
const NAMED_MAX = 20_000;

/**
 * All that have ids of their own which start so, and the promise of exactly that id, the newest first; `undefined` when
 * there are too many promises of such ids.
 */
async function allNamed(records: Insight, prefix: string): Promise<readonly Outline[] | undefined> {
  const runs: Outline[] = [];
  let after = "";
  for (let read = 0; read < NAMED_MAX; read += PART) {
    const part = await records.named(prefix, { after, limit: PART });
    for (const one of part) if (one.id === prefix || rootIdOf(one) === one.id) runs.push(one);
    const last = part.at(-1);
    if (!last || part.length < PART) return runs.sort((one, other) => other.place - one.place);
    after = last.id;
    await turn();
  }
  return undefined;
}

function isFiltered({ state, idPrefix, func }: ExecutionsWanted): boolean {
  return Boolean(state || idPrefix || func);
}

function matches(node: ExecutionNode, { state, idPrefix, func }: ExecutionsWanted): boolean {
  const inState =
    !state || (state === "halted" ? node.task?.state === "halted" : node.state === state);
  return inState && (!idPrefix || node.id.startsWith(idPrefix)) && (!func || node.func === func);
}

function cursorAt(place: number): string {
  return place.toString(36);
}

/** The place in a cursor; `undefined` when it is none of ours. */
export function placeOfCursor(cursor: string): number | undefined {
  const place = Number.parseInt(cursor, 36);
  return Number.isSafeInteger(place) && cursorAt(place) === cursor ? place : undefined;
}
