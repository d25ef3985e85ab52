/** How promises and their tasks come into being. */
import { isExternal, type PromiseCreate, TAG } from "@resonate-ts/protocol";
import { firstOffer } from "./offer.ts";
import { deadlineState } from "./project.ts";
import type { StoredPromise, StoredTask } from "./records.ts";
import type { Effects, World } from "./step.ts";
import { leaseEnd } from "./task/claim.ts";

export interface Birth {
  readonly promise: StoredPromise;
  readonly task?: StoredTask;
  readonly effects: Effects;
}

interface Terms {
  /** Born claimed by this process, in place of being offered. */
  readonly claim?: { readonly pid: string; readonly ttl: number };
  /** Default: now, or the deadline where that has passed. */
  readonly createdAt?: number;
}

/** A new promise, and its task if it has a target. One whose deadline has passed is born settled. */
export function birth(given: PromiseCreate, world: World, terms: Terms = {}): Birth {
  const dead = world.at >= given.timeoutAt;
  const promise = dead
    ? bornSettled(given, terms.createdAt ?? given.timeoutAt)
    : bornPending(given, terms.createdAt ?? world.at);
  if (given.tags[TAG.target] === undefined) {
    return { promise, effects: { changes: [{ put: "promise", record: promise }] } };
  }
  const { task, messages } = dead
    ? { task: newTask(given.id, "fulfilled"), messages: [] }
    : newWork(promise, world, terms.claim);
  return {
    promise,
    task,
    effects: {
      changes: [
        { put: "promise", record: promise },
        { put: "task", record: task },
      ],
      messages,
    },
  };
}

function bornPending(given: PromiseCreate, createdAt: number): StoredPromise {
  const promise = { ...given, state: "pending", value: {}, createdAt } as const;
  return isExternal(given.tags) ? { ...promise, dueAt: given.timeoutAt } : promise;
}

function bornSettled(given: PromiseCreate, createdAt: number): StoredPromise {
  const state = deadlineState(given);
  return { ...given, state, value: {}, createdAt, settledAt: given.timeoutAt };
}

function newWork(promise: StoredPromise, world: World, claim: Terms["claim"]) {
  if (!claim) return firstOffer(newTask(promise.id, "pending"), promise, world);
  const { pid, ttl } = claim;
  const task = { id: promise.id, state: "acquired", version: 1, resumes: 0, pid, ttl } as const;
  return { task: { ...task, dueAt: leaseEnd(world.at, ttl) }, messages: [] };
}

function newTask(id: string, state: "pending" | "fulfilled"): StoredTask {
  return { id, state, version: 0, resumes: 0 };
}
