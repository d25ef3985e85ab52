/** How a task becomes pending, and how it is offered to workers. */
import {
  delayOf,
  isTimer,
  type PromiseRecord,
  parseAddress,
  TAG,
  type Tags,
} from "@resonate-ts/protocol";
import type { Outgoing, StoredTask } from "./records.ts";
import type { World } from "./step.ts";

export interface Offer {
  readonly task: StoredTask;
  readonly messages: readonly Outgoing[];
}

/**
 * The task as pending, with its offer. It is offered again, unless claimed, after the retry time-out.
 *
 * The task of a timer is never offered: some SDKs give every sleep a target, which nobody is meant to run.
 */
export function offer(task: StoredTask, promise: PromiseRecord, world: World): Offer {
  const { ttl: _, pid: __, ...kept } = task;
  const pending = { ...kept, state: "pending" } as const;
  const address = promise.tags[TAG.target];
  if (address === undefined || isTimer(promise.tags)) {
    return { task: { ...pending, dueAt: promise.timeoutAt }, messages: [] };
  }
  return {
    task: { ...pending, dueAt: world.at + world.settings.retryTimeoutMs },
    messages: [{ kind: "execute", address, task: { id: task.id, version: task.version }, promise }],
  };
}

/** Losses in a row from which on a task is offered later. One is a machine that went away, and its work must move. */
const LOSSES_PAUSED_MIN = 2;
/** The first pause, in ms; each is twice as long as the one before, and up to once more as long. */
const PAUSE_MS_FIRST = 500;

/**
 * The task as pending after its holder was lost. Where that happens again and again it is offered later each time, and
 * at another moment than what was lost with it: so what ends its process does not end the same others with it, who
 * would look as guilty.
 */
export function offerAfterLoss(task: StoredTask, promise: PromiseRecord, world: World): Offer {
  const offered = offer(task, promise, world);
  const { failures = 0 } = task;
  if (failures < LOSSES_PAUSED_MIN || offered.messages.length === 0) return offered;
  const pauseMs = PAUSE_MS_FIRST * 2 ** (failures - LOSSES_PAUSED_MIN);
  const wait = Math.min(pauseMs, world.settings.retryTimeoutMs) * (1 + fractionOf(task));
  return { task: { ...offered.task, dueAt: world.at + Math.floor(wait) }, messages: [] };
}

/** Whether a pending task may be in the pause after a loss: its next offer is still to come. */
export function mayPause({ failures = 0, dueAt = 0 }: StoredTask, at: number): boolean {
  return failures >= LOSSES_PAUSED_MIN && dueAt > at;
}

/** From 0 up to 1, the same for the same claim, and unlike that of others: FNV-1a with the end of MurmurHash3. */
function fractionOf({ id, version }: StoredTask): number {
  let hash = 0x811c9dc5;
  for (const character of `${version} ${id}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Where the pending task of this promise has been offered before `at`; `undefined` when it has not been. */
export function standingOffer({ tags }: PromiseRecord, at: number): string | undefined {
  const delay = delayOf(tags);
  return isTimer(tags) || (delay !== undefined && delay > at) ? undefined : tags[TAG.target];
}

/** The group whose workers take the task of this promise from their streams; `undefined` where somebody is called. */
export function groupOf({ tags }: Pick<PromiseRecord, "tags">): string | undefined {
  const address = addressOf(tags);
  return address?.kind === "poll" ? address.group : undefined;
}

/**
 * The same task offered again: after the retry time-out where somebody is called, because nothing else would call again;
 * else after as long again as the promise is old, because workers that poll are offered what waits for them from memory,
 * and what nobody takes must not be written for ever.
 */
export function offerAgain(task: StoredTask, promise: PromiseRecord, world: World): Offer {
  const offered = offer(task, promise, world);
  const { retryTimeoutMs, retryTimeoutMsMax = retryTimeoutMs } = world.settings;
  if (offered.messages.length === 0 || addressOf(promise.tags)?.kind === "push") return offered;
  const wait = Math.max(Math.min(world.at - promise.createdAt, retryTimeoutMsMax), retryTimeoutMs);
  return { ...offered, task: { ...offered.task, dueAt: world.at + wait } };
}

function addressOf(tags: Tags) {
  const target = tags[TAG.target];
  return target === undefined ? undefined : parseAddress(target);
}

/** The first offer of a new task: now, or when its delay has passed. */
export function firstOffer(task: StoredTask, promise: PromiseRecord, world: World): Offer {
  const delay = delayOf(promise.tags);
  return delay !== undefined && delay > world.at
    ? { task: { ...task, dueAt: delay }, messages: [] }
    : offer(task, promise, world);
}
