/** A run as so many lines as there is room for: like siblings are summed up, and what failed or goes on is shown first. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import { branches } from "./branches.ts";
import { formatDuration } from "./duration.ts";
import { labelOf } from "./label.ts";
import type { RunNodes } from "./run-nodes.ts";
import type { Color, Line } from "./screen.ts";
import { lightOf, stateInWords } from "./state.ts";

/** How many children of one parent are shown, at most: the first of these with which all has room. */
const SHOWN_MAX = [30, 16, 8, 4, 2, 1];
/** Sorts of siblings that are summed up one by one; where there are more, in one line. */
const SORTS_MAX = 3;

const WORKER_COLORS: readonly Color[] = ["cyan", "magenta", "yellow", "blue", "green"];

/** One promise, or several that are summed up. */
type Entry =
  | { readonly kind: "one"; readonly node: ExecutionNode }
  | { readonly kind: "rest"; readonly label: string; readonly nodes: readonly ExecutionNode[] };

export class RunPicture {
  readonly #run: RunNodes;
  readonly #colors = new Map<string, Color | undefined>();

  constructor(run: RunNodes) {
    this.#run = run;
  }

  /** At most `rowsMax` lines. `now` is the server's time, `note` something to say below. */
  lines(rowsMax: number, now: number, note = ""): readonly Line[] {
    const footer = this.#footer(note);
    const room = Math.max(1, rowsMax - 1);
    const top = this.#run.get(this.#run.top);
    if (!top) return [footer];
    let drawn: readonly Line[] = [];
    for (const most of SHOWN_MAX) {
      drawn = this.#tree(top, most, now);
      if (drawn.length <= room) break;
    }
    return [...cut(drawn, room), footer].slice(-rowsMax);
  }

  #tree(top: ExecutionNode, most: number, now: number): readonly Line[] {
    const childrenOf = (entry: Entry): readonly Entry[] =>
      entry.kind === "one" ? summedUp(this.#run.childrenOf(entry.node.id), most) : [];
    const lines: Line[] = [];
    for (const { node: entry, prefix } of branches<Entry>({ kind: "one", node: top }, childrenOf)) {
      const said = entry.kind === "one" ? this.#one(entry.node, now) : rest(entry);
      lines.push([{ text: prefix, color: "dim" }, ...said]);
    }
    return lines;
  }

  #one(node: ExecutionNode, now: number): Line {
    const { id, state, createdAt, settledAt = now, shared, task } = node;
    const worker = this.#run.workerOf(id);
    const color = worker === undefined ? undefined : this.#colorOf(worker);
    const words = [
      lightOf(state),
      labelOf(node),
      formatDuration(Math.max(0, settledAt - createdAt)),
      state === "pending" || state === "resolved" ? "" : stateInWords(state),
      state === "pending" && task?.state === "halted" ? "halted" : "",
      shared ? "(shared)" : "",
    ];
    const text = ` ${words.filter((word) => word !== "").join(" ")}`;
    return [{ text: id, color }, { text }, ...(worker === undefined ? [] : [of(worker, color)])];
  }

  #colorOf(worker: string): Color | undefined {
    if (!this.#colors.has(worker)) {
      this.#colors.set(worker, WORKER_COLORS[this.#colors.size % WORKER_COLORS.length]);
    }
    return this.#colors.get(worker);
  }

  #footer(note: string): Line {
    const all = [...this.#run.all()];
    const more = this.#run.truncated ? " and more" : "";
    const text = `${inThousands(all.length)}${more} in all: ${countsOf(all)}`;
    return [{ text, color: "dim" }, ...(note === "" ? [] : [{ text: ` — ${note}` }])];
  }
}

function of(worker: string, color: Color | undefined) {
  return { text: ` @${worker}`, color };
}

function summedUp(children: readonly ExecutionNode[], most: number): readonly Entry[] {
  // A line for one that is left out takes as much room as that one.
  if (children.length <= most + 1) return children.map((node) => ({ kind: "one", node }));
  const shown = new Set(byInterest(children).slice(0, most));
  const left = children.filter((node) => !shown.has(node));
  const sorts = Map.groupBy(left, labelOf);
  const sums: Iterable<[string, readonly ExecutionNode[]]> =
    sorts.size > SORTS_MAX ? [["", left]] : sorts;
  return [
    ...children.flatMap((node): readonly Entry[] =>
      shown.has(node) ? [{ kind: "one", node }] : [],
    ),
    ...[...sums].map(([label, nodes]): Entry => ({ kind: "rest", label, nodes })),
  ];
}

/** What failed, then what goes on, then the rest; else in their order. */
function byInterest(nodes: readonly ExecutionNode[]): readonly ExecutionNode[] {
  const by = Map.groupBy(nodes, sortOf);
  return (["failed", "pending", "done"] as const).flatMap((sort) => by.get(sort) ?? []);
}

function sortOf({ state }: ExecutionNode): "failed" | "pending" | "done" {
  if (state === "pending") return "pending";
  return state === "resolved" ? "done" : "failed";
}

function rest({ label, nodes }: Extract<Entry, { readonly kind: "rest" }>): Line {
  const what = label === "" ? "" : ` ${label}`;
  return [{ text: `… ${inThousands(nodes.length)} more${what}: ${countsOf(nodes)}` }];
}

function countsOf(nodes: readonly ExecutionNode[]): string {
  const counts = { done: 0, pending: 0, failed: 0 };
  for (const node of nodes) counts[sortOf(node)] += 1;
  const words = Object.entries(counts).filter(([, count]) => count > 0);
  return words.map(([word, count]) => `${inThousands(count)} ${word}`).join(", ");
}

function inThousands(count: number): string {
  return count.toLocaleString("en-US");
}

/** The beginning and the end, where there is no room for what is between them. */
function cut(lines: readonly Line[], room: number): readonly Line[] {
  if (lines.length <= room) return lines;
  const head = Math.ceil((room - 1) / 2);
  const tail = room - 1 - head;
  const left = lines.length - head - tail;
  const between: Line = [{ text: `… ${inThousands(left)} lines more`, color: "dim" }];
  return [...lines.slice(0, head), between, ...lines.slice(lines.length - tail)];
}
