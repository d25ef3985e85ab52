/** A promise and its task as a handler sees them: projected, and only where both exist. */
import type { Claim } from "@resonate-ts/protocol";
import { project, projectTask } from "./project.ts";
import type { StoredPromise, StoredTask } from "./records.ts";
import type { World } from "./step.ts";

export interface TaskView {
  readonly promise: StoredPromise;
  readonly task: StoredTask;
}

/** The promise as of now. */
export function viewPromise(id: string, world: World): StoredPromise | undefined {
  const stored = world.promise(id);
  return stored && project(stored, world.at);
}

/** The task as of now, with its promise. */
export function viewTask(id: string, world: World): TaskView | undefined {
  const promise = viewPromise(id, world);
  const task = world.task(id);
  return promise && task && { promise, task: projectTask(task, promise) };
}

/** Whether `claim` is the valid claim on the task. */
export function holds(claim: Claim, { task }: TaskView): boolean {
  return task.state === "acquired" && task.version === claim.version;
}
