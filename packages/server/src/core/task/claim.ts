/** Claiming a pending task: the one way a version grows. */
import type { StoredTask } from "../records.ts";
import type { Effects, World } from "../step.ts";
import { failuresOf } from "./failures.ts";

export interface Claimant {
  readonly pid: string;
  /** Length of the lease, in ms. */
  readonly ttl: number;
}

/** When a lease of `ttl` ms that starts at `at` ends; the longest ones at the last instant that a number can tell. */
export function leaseEnd(at: number, ttl: number): number {
  return Math.min(at + ttl, Number.MAX_SAFE_INTEGER);
}

/** The task claimed, with a fresh lease and nothing to resume. */
export function claim(task: StoredTask, { pid, ttl }: Claimant, world: World) {
  const acquired: StoredTask = {
    id: task.id,
    state: "acquired",
    version: task.version + 1,
    resumes: 0,
    pid,
    ttl,
    ...failuresOf(task),
    dueAt: leaseEnd(world.at, ttl),
  };
  const effects: Effects = {
    changes: [
      { put: "task", record: acquired },
      { delete: "resumes", awaiter: task.id },
    ],
  };
  return { task: acquired, effects };
}
