/**
 * How many claims of a task ended in a row without a verdict. Whoever claims it next is told, so that a task which takes
 * every worker down with it can be stopped.
 */
import type { StoredTask } from "../records.ts";

/** What a task carries of its failures, for a record that is written anew. */
export function failuresOf({
  failures,
  cause,
}: StoredTask): Pick<StoredTask, "failures" | "cause"> {
  return { ...(failures !== undefined && { failures }), ...(cause !== undefined && { cause }) };
}

/** The task after a claim that ended without a verdict; without a new cause it keeps the last one. */
export function withFailure(task: StoredTask, cause?: string): StoredTask {
  return {
    ...task,
    failures: (task.failures ?? 0) + 1,
    ...(cause !== undefined && { cause }),
  };
}

export function withoutFailures({ failures: _, cause: __, ...task }: StoredTask): StoredTask {
  return task;
}
