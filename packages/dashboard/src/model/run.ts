/** One run: all its promises as far as they are known, who started whom, and who worked on what. */
import type { ExecutionNode, ExecutionTree } from "@resonate-ts/protocol";
import { newerNode } from "./newer-node.ts";

/** It is not changed; an event makes another one. */
export interface Run {
  readonly root: string;
  /** Parents before their children, else by the time of their creation. */
  readonly nodes: ReadonlyMap<string, ExecutionNode>;
  /** By the id of the parent. */
  readonly children: ReadonlyMap<string, readonly ExecutionNode[]>;
  readonly edges: ExecutionTree["edges"];
  readonly truncated: boolean;
}

/** The run as it was just read. What was seen before and is later than that stays. */
export function runOf(tree: ExecutionTree, before?: Run): Run {
  const same = before?.root === tree.root ? before.nodes : undefined;
  const nodes = new Map(tree.nodes.map((node) => [node.id, newerNode(same?.get(node.id), node)]));
  const { root, edges, truncated = false } = tree;
  return { root, nodes, children: childrenOf(root, nodes), edges, truncated };
}

/** The run after an event told of these promises, known before or not. */
export function withNodes(run: Run, news: readonly ExecutionNode[]): Run {
  const nodes = new Map(run.nodes);
  let grown = false;
  for (const node of news) {
    const known = nodes.get(node.id);
    grown ||= known === undefined;
    nodes.set(node.id, newerNode(known, node));
  }
  const ordered = grown ? inOrder(nodes) : nodes;
  return { ...run, nodes: ordered, children: childrenOf(run.root, ordered) };
}

/** What each was worked on by: the worker of its own task; of a step, that of the task that it is a part of. */
export function workersOf({ nodes }: Run): ReadonlyMap<string, string> {
  const workers = new Map<string, string>();
  for (const [id, { kind, task, parent = "" }] of nodes) {
    const own = kind === "run" ? workers.get(parent) : task?.pid;
    if (own !== undefined) workers.set(id, own);
  }
  return workers;
}

/** The ids above a promise, the nearest first. */
export function ancestorsOf(run: Run, id: string): readonly string[] {
  const above: string[] = [];
  const seen = new Set([id]);
  let parent = run.nodes.get(id)?.parent;
  while (parent !== undefined && !seen.has(parent)) {
    seen.add(parent);
    above.push(parent);
    parent = run.nodes.get(parent)?.parent;
  }
  return above;
}

/** Whatever has no known parent hangs below the root, so that nothing is lost from sight. */
function childrenOf(
  root: string,
  nodes: ReadonlyMap<string, ExecutionNode>,
): ReadonlyMap<string, readonly ExecutionNode[]> {
  const children = new Map<string, ExecutionNode[]>();
  for (const node of nodes.values()) {
    if (node.id === root) continue;
    const parent = node.parent !== undefined && nodes.has(node.parent) ? node.parent : root;
    const siblings = children.get(parent);
    if (siblings) siblings.push(node);
    else children.set(parent, [node]);
  }
  return children;
}

/** An event may tell of a child before its parent. */
function inOrder(nodes: ReadonlyMap<string, ExecutionNode>): ReadonlyMap<string, ExecutionNode> {
  const ordered = new Map<string, ExecutionNode>();
  const place = (start: ExecutionNode) => {
    const path: ExecutionNode[] = [];
    const onPath = new Set<string>();
    let next: ExecutionNode | undefined = start;
    while (next && !ordered.has(next.id) && !onPath.has(next.id)) {
      path.push(next);
      onPath.add(next.id);
      next = next.parent === undefined ? undefined : nodes.get(next.parent);
    }
    for (const node of path.reverse()) ordered.set(node.id, node);
  };
  for (const node of nodes.values()) place(node);
  return ordered;
}
