/** What happens when a promise settles, whoever settles it. */
import type { PromiseRecord } from "@resonate-ts/protocol";
import { fulfilled } from "./project.ts";
import type { Change, Outgoing, StoredPromise, StoredTask } from "./records.ts";
import { publicPromise } from "./replies.ts";
import type { Effects, Obligations, Step, World } from "./step.ts";

interface Verdict {
  readonly state: Exclude<PromiseRecord["state"], "pending">;
  readonly value: PromiseRecord["value"];
  readonly settledAt: number;
}

export interface Settlement {
  readonly promise: StoredPromise;
  readonly effects: Effects;
}

/**
 * Settles a promise that is stored as pending: the verdict is fixed, its task ends with it, and those who wait
 * are told in following steps. So is whoever holds its claim, unless that is who settles it: `by`. Needs the keys
 * `promises` and `obligations` of the id.
 */
export function settlement(
  stored: StoredPromise,
  verdict: Verdict,
  world: World,
  by: "holder" | "other" = "other",
): Settlement {
  const { dueAt: _, ...record } = stored;
  const obligations = world.obligations(stored.id);
  const settled = { ...record, ...verdict };
  // More awaiters than one page: the promise stays due, and `promise.announce` takes the next one.
  const promise = obligations.more ? { ...settled, dueAt: world.at } : settled;
  const task = world.task(stored.id);
  const changes: Change[] = [{ put: "promise", record: promise }];
  if (task) {
    // What it was resumed by will be shown to nobody.
    changes.push({ put: "task", record: fulfilled(task) }, { delete: "resumes", awaiter: task.id });
  }
  const next = announcements(stored.id, obligations);
  const messages = by === "holder" ? [] : revocation(promise, task);
  return { promise, effects: { changes, messages, next } };
}

/** Whoever holds the claim works in vain from now on. */
function revocation(promise: StoredPromise, task: StoredTask | undefined): readonly Outgoing[] {
  const pid = task?.state === "acquired" ? task.pid : undefined;
  return pid === undefined ? [] : [{ kind: "revoke", pid, promise: publicPromise(promise) }];
}

/** The steps that tell those who wait. */
export function announcements(awaited: string, { callbacks, listeners }: Obligations): Step[] {
  const steps: Step[] = [];
  for (const awaiter of callbacks) steps.push({ kind: "task.resume", data: { awaited, awaiter } });
  for (const address of listeners)
    steps.push({ kind: "promise.notify", data: { awaited, address } });
  return steps;
}
