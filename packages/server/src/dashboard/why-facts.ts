/** Reads what is needed to say why something does not move. */
import { TAG, type Why } from "@resonate-ts/protocol";
import type { Inside } from "../engine/inside.ts";
import type { Insight, Outline } from "../stores/insight.ts";
import { HELD_MAX } from "./groups.ts";
import { type Case, explain } from "./why.ts";

/** Most promises that are read along what is awaited. */
const CASES_MAX = 1_000;
/** Most promises of one question. */
const TOGETHER_MAX = 100;

/** `undefined` when there is no such promise. */
export async function readWhy(inside: Inside, id: string): Promise<Why | undefined> {
  const { records } = inside;
  const cases = await readCases(records, id);
  const { present } = await inside.census();
  const held = await records.held(HELD_MAX);
  return explain({ id, at: inside.now(), cases, present, held });
}

/** The promise, and what can be reached from it along what is awaited, and from steps to the tasks they belong to. */
async function readCases(records: Insight, id: string): Promise<ReadonlyMap<string, Case>> {
  const cases = new Map<string, Case>();
  let ahead: readonly string[] = [id];
  while (ahead.length > 0 && cases.size < CASES_MAX) {
    const outlines = await records.outlines(ahead.slice(0, TOGETHER_MAX));
    const awaits = await awaitsOf(records, outlines);
    for (const outline of outlines) {
      cases.set(outline.id, { outline, awaits: awaits.get(outline.id) ?? [] });
    }
    const next = outlines.flatMap((outline) => [
      ...(awaits.get(outline.id) ?? []),
      ...branchOf(outline),
    ]);
    const left = [...ahead.slice(TOGETHER_MAX), ...next];
    ahead = [...new Set(left)].filter((one) => !cases.has(one)).slice(0, CASES_MAX);
  }
  return cases;
}

async function awaitsOf(records: Insight, outlines: readonly Outline[]) {
  const suspended = outlines.filter(({ task }) => task?.state === "suspended");
  const edges = await records.awaits(
    suspended.map(({ id }) => id),
    CASES_MAX,
  );
  const of = Map.groupBy(edges, ({ awaiter }) => awaiter);
  return new Map([...of].map(([awaiter, some]) => [awaiter, some.map(({ awaited }) => awaited)]));
}

function branchOf({ id, tags }: Outline): readonly string[] {
  const branch = tags[TAG.scope] === "local" ? tags[TAG.branch] : undefined;
  return branch === undefined || branch === id ? [] : [branch];
}
