import type { ExecutionNode } from "@resonate-ts/protocol";
import { duration } from "../model/format.ts";
import { isSettled } from "../model/status.ts";
import { endOf } from "../model/timeline.ts";
import { useNow } from "./use-now.ts";

/** How long it took, or has taken so far. */
export function Took({ node }: { readonly node: ExecutionNode }) {
  const open = !isSettled(node);
  const now = useNow(500, open);
  return <span className="took">{duration(endOf(node, now) - node.createdAt)}</span>;
}
