/**
 * What of a run is drawn as what. Many like siblings are one box with a cell for each, and so is a recursion, which is a
 * long chain of like calls; everything else is a box of its own. However large the run, about `BOXES_MAX` boxes remain.
 */
import type { ExecutionNode } from "@resonate-ts/protocol";
import type { Run } from "./run.ts";

export type Display = Single | Cells;

export interface Single {
  readonly kind: "single";
  readonly key: string;
  readonly node: ExecutionNode;
  readonly children: readonly Display[];
  /** How many promises below it are left out of the picture. */
  readonly folded: number;
}

/** A box with a cell for each of its members. */
export interface Cells {
  readonly kind: "siblings" | "chain";
  readonly key: string;
  /** In their order; of a chain, each has started the next. */
  readonly members: readonly ExecutionNode[];
  readonly children: readonly Display[];
  /** How many promises below its members are not drawn. */
  readonly folded: number;
}

/** Boxes that still can be told from each other, and drawn many times a second. */
export const BOXES_MAX = 400;
/** Chains that are shorter are boxes of their own. */
const CHAIN_MIN = 8;
/** Steps beside the next call, up to which it still is a chain. */
const CHAIN_STEPS_MAX = 4;

interface Grouping {
  /** So many like siblings are drawn together. */
  readonly siblingsMin: number;
  /** Whether those that run different functions are different. */
  readonly byFunction: boolean;
}

const FINEST: Grouping = { siblingsMin: 12, byFunction: true };
/** One after the other, until the picture is small enough. */
const COARSER: readonly Grouping[] = [
  { siblingsMin: 6, byFunction: true },
  { siblingsMin: 3, byFunction: true },
  { siblingsMin: 2, byFunction: true },
  { siblingsMin: 2, byFunction: false },
];

/**
 * @param opened Ids of siblings that are drawn apart from the others, with what is below them, and keys of chains that
 *   are drawn as boxes.
 */
export function displayTree(run: Run, opened: ReadonlySet<string> = new Set()): Display {
  const below = countBelow(run);
  let picture = new Builder(run, { opened, below, grouping: FINEST }).build();
  for (const grouping of COARSER) {
    if (picture.boxes <= BOXES_MAX) break;
    picture = new Builder(run, { opened, below, grouping }).build();
  }
  return picture.display;
}

/** The key of the box in which each promise is drawn; the others are left out. */
export function boxesOf(top: Display): ReadonlyMap<string, string> {
  const boxes = new Map<string, string>();
  for (const display of displaysOf(top)) {
    for (const { id } of membersOf(display)) boxes.set(id, display.key);
  }
  return boxes;
}

/** All of them, as the eye goes: each before what is below it. */
export function displaysOf(top: Display): readonly Display[] {
  const all: Display[] = [];
  const open = [top];
  for (let next = open.pop(); next; next = open.pop()) {
    all.push(next);
    open.push(...next.children.toReversed());
  }
  return all;
}

export function membersOf(display: Display): readonly ExecutionNode[] {
  return display.kind === "single" ? [display.node] : display.members;
}

interface Options {
  readonly opened: ReadonlySet<string>;
  readonly below: ReadonlyMap<string, number>;
  readonly grouping: Grouping;
}

/** Builds one picture. When it has too many boxes, what is below the next ones is left out. */
class Builder {
  readonly #run: Run;
  readonly #options: Options;
  /** Members of chains that are opened. */
  readonly #links = new Set<string>();
  #boxes = 0;

  constructor(run: Run, options: Options) {
    this.#run = run;
    this.#options = options;
  }

  build(): { readonly display: Display; readonly boxes: number } {
    const root = this.#run.nodes.get(this.#run.root);
    if (!root) throw new Error(`The run ${this.#run.root} has no root.`);
    const display = this.#boxOf(root);
    return { display, boxes: this.#boxes };
  }

  #boxOf(node: ExecutionNode): Display {
    if (this.#links.has(node.id)) return this.#single(node);
    const chain = this.#chainFrom(node);
    const key = `chain:${node.id}`;
    const end = chain.at(-1);
    if (!end || chain.length < CHAIN_MIN) return this.#single(node);
    if (this.#options.opened.has(key)) {
      for (const { id } of chain) this.#links.add(id);
      return this.#single(node);
    }
    this.#boxes++;
    const children = this.#below(this.#childrenOf(end.id));
    const folded = this.#countBelow(node.id) - this.#countBelow(end.id) - (chain.length - 1);
    return { kind: "chain", key, members: chain, children, folded };
  }

  #single(node: ExecutionNode): Single {
    this.#boxes++;
    const children = this.#isFull() ? [] : this.#below(this.#childrenOf(node.id));
    const folded = this.#isFull() && children.length === 0 ? this.#countBelow(node.id) : 0;
    return { kind: "single", key: `one:${node.id}`, node, children, folded };
  }

  #isFull(): boolean {
    return this.#boxes > BOXES_MAX;
  }

  #below(children: readonly ExecutionNode[]): readonly Display[] {
    const displays: Display[] = [];
    for (const [like, siblings] of Map.groupBy(children, (child) => this.#likeness(child))) {
      if (siblings.length < this.#options.grouping.siblingsMin) {
        for (const node of siblings) displays.push(this.#boxOf(node));
      } else displays.push(...this.#grouped(like, siblings));
    }
    return displays;
  }

  #grouped(like: string, siblings: readonly ExecutionNode[]): readonly Display[] {
    const { opened } = this.#options;
    const apart = siblings.filter(({ id }) => opened.has(id)).map((node) => this.#boxOf(node));
    const members = siblings.filter(({ id }) => !opened.has(id));
    const first = members[0];
    if (!first) return apart;
    this.#boxes++;
    const key = `siblings:${first.parent}:${like}`;
    const folded = members.reduce((sum, { id }) => sum + this.#countBelow(id), 0);
    return [{ kind: "siblings", key, members, children: [], folded }, ...apart];
  }

  /** The node and the like calls below it, as long as there is one at each, beside a few steps. */
  #chainFrom(node: ExecutionNode): readonly ExecutionNode[] {
    const chain = [node];
    for (let next = this.#nextInChain(node); next; next = this.#nextInChain(next)) chain.push(next);
    return chain;
  }

  #nextInChain(node: ExecutionNode): ExecutionNode | undefined {
    const children = this.#childrenOf(node.id);
    if (children.length === 0 || children.length > CHAIN_STEPS_MAX + 1) return undefined;
    const like = children.filter((child) => this.#continues(node, child));
    const next = like[0];
    if (!next || like.length > 1) return undefined;
    const steps = children.every((child) => child === next || this.#countBelow(child.id) === 0);
    return steps ? next : undefined;
  }

  #continues(node: ExecutionNode, child: ExecutionNode): boolean {
    if (!this.#options.grouping.byFunction) return this.#countBelow(child.id) > 0;
    const kinds = node.kind === "root" ? child.kind !== "promise" : child.kind === node.kind;
    return kinds && child.kind !== "sleep" && child.func === node.func && child.func !== undefined;
  }

  #likeness({ kind, func = "", version }: ExecutionNode): string {
    return this.#options.grouping.byFunction ? `${kind} ${version ?? ""} ${func}` : kind;
  }

  #childrenOf(id: string): readonly ExecutionNode[] {
    return this.#run.children.get(id) ?? [];
  }

  #countBelow(id: string): number {
    return this.#options.below.get(id) ?? 0;
  }
}

/** How many promises are below each that has some. */
function countBelow({ root, nodes }: Run): ReadonlyMap<string, number> {
  const below = new Map<string, number>();
  for (const { id, parent } of [...nodes.values()].reverse()) {
    if (id === root) continue;
    const above = parent !== undefined && nodes.has(parent) ? parent : root;
    below.set(above, (below.get(above) ?? 0) + (below.get(id) ?? 0) + 1);
  }
  return below;
}
