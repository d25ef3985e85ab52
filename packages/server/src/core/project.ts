/**
 * The projection rule: a promise past its deadline is settled, whatever is stored; and so its task is fulfilled.
 * Every handler decides on projections, and every answer shows them.
 */
import { isTimer, type PromiseRecord } from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "./records.ts";

/** The promise as of `at`. The deadline is inclusive: at that millisecond it has won. */
export function project(promise: StoredPromise, at: number): StoredPromise {
  if (promise.state !== "pending" || at < promise.timeoutAt) return promise;
  const { dueAt: _, ...record } = promise;
  return { ...record, state: deadlineState(promise), settledAt: promise.timeoutAt };
}

/** The task as of `at`, given its promise as of then. */
export function projectTask(task: StoredTask, promise: PromiseRecord): StoredTask {
  return promise.state === "pending" ? task : fulfilled(task);
}

/** The verdict of a deadline. */
export function deadlineState(promise: Pick<PromiseRecord, "tags">) {
  return isTimer(promise.tags) ? "resolved" : "rejected_timedout";
}

/** The task when its promise has settled: nothing is left of the claim. */
export function fulfilled(task: StoredTask): StoredTask {
  return { id: task.id, state: "fulfilled", version: task.version, resumes: 0 };
}
