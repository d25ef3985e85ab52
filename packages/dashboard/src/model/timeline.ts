/** A run over time: a row for each promise, and the scale above them. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import type { Run } from "./run.ts";
import { isSettled } from "./status.ts";

export interface TimelineRow {
  readonly node: ExecutionNode;
  readonly depth: number;
}

/** An interval of time, in ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Each before what it has started, and that by time. */
export function timelineRows(run: Run): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  const root = run.nodes.get(run.root);
  const open: TimelineRow[] = root ? [{ node: root, depth: 0 }] : [];
  for (let row = open.pop(); row; row = open.pop()) {
    rows.push(row);
    const depth = row.depth + 1;
    const children = run.children.get(row.node.id) ?? [];
    for (const node of children.toReversed()) open.push({ node, depth });
  }
  return rows;
}

/** From the first creation to the last settlement, or to now while something is open. */
export function spanOf({ nodes }: Run, now: number): Span {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const node of nodes.values()) {
    from = Math.min(from, node.createdAt);
    to = Math.max(to, endOf(node, now));
  }
  // Something that took no time at all still has to be seen.
  return { from, to: Math.max(to, from + 1) };
}

export function endOf(node: ExecutionNode, now: number): number {
  return isSettled(node) ? (node.settledAt ?? now) : Math.max(now, node.createdAt);
}

/** Where an instant lies in a span: 0 at its beginning, 1 at its end. */
export function placeIn({ from, to }: Span, at: number): number {
  return (at - from) / (to - from);
}

/** `factor` times as long, with the instant at `place` staying where it is, and never shorter than a millisecond. */
export function zoomed({ from, to }: Span, factor: number, place: number): Span {
  const length = Math.max(1, (to - from) * factor);
  const at = from + (to - from) * place;
  return { from: at - length * place, to: at + length * (1 - place) };
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000];
const LONG_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 10_080].map(
  (minutes) => minutes * 60_000,
);

/** Round durations from `zero` on, about `count` of them in the span. */
export function ticksOf({ from, to }: Span, zero: number, count: number): readonly number[] {
  const rough = (to - from) / Math.max(1, count);
  const longest = LONG_STEPS_MS.at(-1) ?? rough;
  const known = [...STEPS_MS, ...LONG_STEPS_MS].find((step) => step >= rough);
  const step = known ?? Math.ceil(rough / longest) * longest;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - zero) / step) * step; at <= to - zero; at += step) ticks.push(at);
  return ticks;
}
