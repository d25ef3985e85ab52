/** The answers that handlers share. */
import { type PromiseRecord, type RequestHead, TAG } from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "./records.ts";
import type { Query, Reply, World } from "./step.ts";
import type { TaskView } from "./view.ts";

export function ok(data: Readonly<Record<string, unknown>> = {}): Reply {
  return { status: 200, data };
}

export function noPromise(id: string): { readonly reply: Reply } {
  return refuse(404, `Promise '${id}' not found`);
}

export function noTask(id: string): { readonly reply: Reply } {
  return refuse(404, `Task '${id}' not found`);
}

/** The caller does not hold the claim that it acts under. */
export function notHeld(id: string, version: number): { readonly reply: Reply } {
  return refuse(409, `Version mismatch: version ${version} of task '${id}' is not claimed`);
}

export function refuse(status: 400 | 404 | 409 | 422, error: string): { readonly reply: Reply } {
  return { reply: { status, error } };
}

/** The promise as clients see it: without what only the server needs. */
export function publicPromise({ dueAt: _, ...record }: StoredPromise): PromiseRecord {
  return record;
}

/** The task as clients see it. */
export function publicTask({ dueAt: _, ...record }: StoredTask): Omit<StoredTask, "dueAt"> {
  return record;
}

/** The answer to a claim. */
export function claimed({ task, promise }: TaskView, head: RequestHead | undefined): Reply {
  const data = { task: publicTask(task), promise: publicPromise(promise) };
  const preload = task.state === "fulfilled" ? [] : preloadOf(promise, head);
  return { status: 200, data, preload };
}

/** What to read for the preload of a task: its branch, unless the caller asked for less. */
export function preloadOf(
  promise: Pick<PromiseRecord, "id" | "tags">,
  head: RequestHead | undefined,
): readonly Query[] {
  if (head?.["resonate:preload"] === "none") return [];
  if (head?.["resonate:preload"] === "delta") return [{ kind: "resumed", awaiter: promise.id }];
  const branch = promise.tags[TAG.branch];
  return branch ? [{ kind: "branch", branch, except: promise.id }] : [];
}

/** The same, of a task by its id; nothing when there is none. */
export function preloadOfTask(
  id: string,
  world: World,
  head: RequestHead | undefined,
): readonly Query[] {
  const promise = world.promise(id);
  return promise ? preloadOf(promise, head) : [];
}
