/** How many of some promises are doing what. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import { STATUSES, type Status, statusOf } from "./status.ts";

export interface Count {
  readonly status: Status;
  readonly count: number;
}

/** Only what there is, in the order of bars. */
export function tally(nodes: Iterable<ExecutionNode>): readonly Count[] {
  const counts = new Map<Status, number>();
  for (const node of nodes) {
    const status = statusOf(node);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return STATUSES.flatMap((status) => {
    const count = counts.get(status);
    return count === undefined ? [] : [{ status, count }];
  });
}
