/** What the properties look at: a store's contents, one entry per id, and the micro-steps between two of them. */
import type { Address, PromiseRecord } from "@resonate-ts/protocol";
import { parseAddress } from "@resonate-ts/protocol";
import type { Outgoing, ScheduleRecord, StoredPromise, StoredTask } from "../records.ts";
import type { StepKind } from "../step.ts";

/** All that is stored under one id, and who waits. Lists may hold what must not be there twice, so that it shows. */
export interface Entry {
  readonly id: string;
  readonly promise?: StoredPromise;
  readonly task?: StoredTask;
  /** How many promises and tasks the store gave for this id. */
  readonly copies: { readonly promises: number; readonly tasks: number };
  /** Awaiters that have not been told. */
  readonly callbacks: readonly string[];
  /** The promises on whose callback list this one's task is. */
  readonly awaits: readonly string[];
  /** Addresses of listeners that have not been told. */
  readonly listeners: readonly string[];
  /** What settled since the task was last claimed. */
  readonly resumedBy: readonly string[];
  /** Queued offers of the task. */
  readonly executes: readonly Execute[];
  /** Queued notices of the promise. */
  readonly unblocks: readonly Unblock[];
}

export interface Execute {
  readonly address: string;
  readonly version: number;
}

export interface Unblock {
  readonly address: string;
  /** The record that was sent, where it is known. */
  readonly promise?: PromiseRecord;
}

export interface ScheduleEntry {
  readonly record: ScheduleRecord;
  readonly copies: number;
}

/** A store's contents at the instant `at`. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ids: Iterable<string>;
  readonly scheduleIds: Iterable<string>;
  entry(id: string): Entry | undefined;
  schedule(id: string): ScheduleEntry | undefined;
}

/** One micro-step: taken at the instant of the snapshot after it. */
export interface Taken {
  readonly kind: StepKind;
  /** The messages that it sent. */
  readonly sent: readonly Outgoing[];
  /** The server was configured with this retry time-out, in ms. */
  readonly retryTimeoutMs: number;
}

/** True of every stored state. */
export type StateProperty = {
  /** Its number in the catalogue. */
  readonly number: number;
  readonly name: string;
} & (
  | { readonly of: "entry"; holds(entry: Entry, snapshot: Snapshot): boolean }
  | { readonly of: "schedule"; holds(schedule: ScheduleEntry, snapshot: Snapshot): boolean }
);

/** The two sides of one entry around a micro-step. */
export interface Pair {
  readonly before: Entry;
  readonly after: Entry;
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly step: Taken;
}

/** True of every pair of states that one micro-step lies between. */
export type StepProperty = { readonly number: number; readonly name: string } & (
  | { readonly of: "entry"; holds(pair: Pair): boolean }
  | {
      readonly of: "schedule";
      holds(pair: { before?: ScheduleEntry; after?: ScheduleEntry }): boolean;
    }
);

/** A property of promises that exist. */
export function ofPromise(
  number: number,
  name: string,
  holds: (promise: StoredPromise, entry: Entry, snapshot: Snapshot) => boolean,
): StateProperty {
  return {
    number,
    name,
    of: "entry",
    holds: (entry, snapshot) => !entry.promise || holds(entry.promise, entry, snapshot),
  };
}

/** A property of tasks that exist. */
export function ofTask(
  number: number,
  name: string,
  holds: (task: StoredTask, entry: Entry, snapshot: Snapshot) => boolean,
): StateProperty {
  return {
    number,
    name,
    of: "entry",
    holds: (entry, snapshot) => !entry.task || holds(entry.task, entry, snapshot),
  };
}

export function ofEntry(
  number: number,
  name: string,
  holds: (entry: Entry, snapshot: Snapshot) => boolean,
): StateProperty {
  return { number, name, of: "entry", holds };
}

/** A property of a promise that is there before and after a step. */
export function ofPromiseStep(
  number: number,
  name: string,
  holds: (before: StoredPromise, after: StoredPromise, pair: Pair) => boolean,
): StepProperty {
  return {
    number,
    name,
    of: "entry",
    holds: (pair) => {
      const { before, after } = pair;
      return !before.promise || !after.promise || holds(before.promise, after.promise, pair);
    },
  };
}

/** A property of a task that is there before and after a step. */
export function ofTaskStep(
  number: number,
  name: string,
  holds: (before: StoredTask, after: StoredTask, pair: Pair) => boolean,
): StepProperty {
  return {
    number,
    name,
    of: "entry",
    holds: (pair) => {
      const { before, after } = pair;
      return !before.task || !after.task || holds(before.task, after.task, pair);
    },
  };
}

export function ofPair(number: number, name: string, holds: (pair: Pair) => boolean): StepProperty {
  return { number, name, of: "entry", holds };
}

export function isUnique(list: readonly string[]): boolean {
  return new Set(list).size === list.length;
}

/** Whether all of `part` is in `whole`. */
export function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((one) => whole.includes(one));
}

/** What is in `list` and not in `others`. */
export function without(list: readonly string[], others: readonly string[]): readonly string[] {
  return list.filter((one) => !others.includes(one));
}

export function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** Structural equality of records, whatever the order of their fields. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  const ours = Object.entries(one).filter(([, value]) => value !== undefined);
  const theirs = new Map(Object.entries(other).filter(([, value]) => value !== undefined));
  return (
    ours.length === theirs.size &&
    ours.every(([name, value]) => theirs.has(name) && isSame(value, theirs.get(name)))
  );
}

export function isAddress(text: string): boolean {
  const address: Address | undefined = parseAddress(text);
  return address !== undefined;
}

/** Whether the promise is settled as of the snapshot, stored so or not. */
export function isDead(promise: StoredPromise, { at }: Pick<Snapshot, "at">): boolean {
  return promise.state !== "pending" || promise.timeoutAt <= at;
}
