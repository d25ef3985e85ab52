/** What is canceled with a promise. */
import { isDetachedId } from "@resonate-ts/protocol";
import type { Run } from "./run.ts";
import { isSettled } from "./status.ts";

/**
 * The ids of what is pending below it, the nearest first. What has an id of its own goes on, since others may wait for it,
 * and so do detached calls.
 */
export function pendingBelow(run: Run, top: string): readonly string[] {
  const pending: string[] = [];
  const open = [top];
  for (let at = 0; at < open.length; at++) {
    for (const child of run.children.get(open[at] ?? "") ?? []) {
      if (child.shared || isDetachedId(child.id)) continue;
      if (!isSettled(child)) pending.push(child.id);
      open.push(child.id);
    }
  }
  return pending;
}
