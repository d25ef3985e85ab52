/** Makes promises and runs as a server tells of them. */
import type { ExecutionNode, TaskState } from "@resonate-ts/protocol";
import { type Run, runOf } from "../src/model/run.ts";

export const NOW = 1_800_000_000_000;

export function node(id: string, given: Partial<ExecutionNode> = {}): ExecutionNode {
  return {
    id,
    kind: "run",
    state: "pending",
    createdAt: NOW,
    timeoutAt: NOW + 60_000,
    paramBytes: 0,
    valueBytes: 0,
    ...given,
  };
}

export function root(id: string, given: Partial<ExecutionNode> = {}): ExecutionNode {
  return node(id, { kind: "root", func: "main", ...given });
}

interface TaskGiven {
  readonly state?: TaskState;
  readonly version?: number;
  readonly pid?: string;
}

/** A call below `parent`, with a task. */
export function call(
  id: string,
  parent: string,
  { state = "pending", version = 0, pid }: TaskGiven = {},
): ExecutionNode {
  const task = { state, version, ...(pid === undefined ? {} : { pid }) };
  return node(id, { kind: "rpc", func: "work", parent, task });
}

export function done(known: ExecutionNode, at = NOW + 1): ExecutionNode {
  return { ...known, state: "resolved", settledAt: at };
}

/** The first is the root. */
export function run(...nodes: readonly ExecutionNode[]): Run {
  return runOf({ root: nodes[0]?.id ?? "", at: NOW, nodes, edges: [] });
}

/** `count` like calls below one root. */
export function fan(count: number): Run {
  const calls = Array.from({ length: count }, (_, n) => call(`r:${n}`, "r"));
  return run(root("r"), ...calls);
}

/** Calls of one function, each of which has started the next, `count` deep. */
export function chain(count: number, steps = 0): Run {
  const nodes: ExecutionNode[] = [];
  for (let n = 0; n < count; n++) {
    const link = n === 0 ? root("c0", { func: "work" }) : call(`c${n}`, `c${n - 1}`);
    nodes.push(link);
    for (let s = 0; s < steps; s++) {
      nodes.push(node(`c${n}s${s}`, { parent: link.id, func: "step" }));
    }
  }
  return run(...nodes);
}
