/** What a promise is called in a picture. */
import type { ExecutionNode, NodeKind } from "@resonate-ts/protocol";

const KIND_NAMES: Readonly<Record<NodeKind, string>> = {
  root: "run",
  rpc: "call",
  run: "step",
  sleep: "sleep",
  promise: "promise",
};

/** What started it, in words for whoever points at it. */
export const KIND_MEANINGS: Readonly<Record<NodeKind, string>> = {
  root: "the run itself",
  rpc: "a call to a worker",
  run: "a step of the function above",
  sleep: "a timer",
  promise: "a promise that others settle",
};

/** Its function, or what it is where there is none. */
export function nameOf({ func, kind }: Pick<ExecutionNode, "func" | "kind">): string {
  return func === undefined || func === "" ? KIND_NAMES[kind] : func;
}

/** Its id without what all of the run begin with. */
export function shortId(id: string, root: string): string {
  return id.length > root.length && id.startsWith(`${root}:`) ? id.slice(root.length) : id;
}
