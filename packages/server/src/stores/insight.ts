/**
 * What a store shows to those who look on (the page, the metrics): promises without their payloads, and who waits for
 * whom. Reads only. Each is a key look-up or a part of an index, and is over soon: whoever wants more asks again.
 */
import type { PromiseState, Tags } from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "../core/records.ts";

/** A promise without its payloads, and its task. */
export interface Outline {
  /** Its place in the order of creation. */
  readonly place: number;
  readonly id: string;
  /** As it is stored. */
  readonly state: PromiseState;
  readonly timeoutAt: number;
  readonly createdAt: number;
  readonly settledAt?: number;
  readonly tags: Tags;
  /** The beginning of its parameters, as JSON text. Absent where they are too long to be looked into. */
  readonly paramHead?: string;
  /** Of the JSON texts; 2 where there is nothing. */
  readonly paramBytes: number;
  readonly valueBytes: number;
  readonly task?: StoredTask;
}

/** Longest parameters of which the beginning is read, in bytes: reading it reads all of them. */
export const PARAM_BYTES_MAX = 16_384;
/** How much of them is read, in characters: 1 KiB in base64, and headers before it. */
export const PARAM_HEAD_LENGTH = 2_048;

/** A promise that was found by a tag. */
export interface Tagged {
  readonly outline: Outline;
  /** By which of the texts that were asked for, from 0. */
  readonly by: number;
}

/** A number that was counted up to a limit. */
export interface Count {
  readonly count: number;
  /** There are more. */
  readonly more: boolean;
}

/** What is not over. */
export interface OpenCounts {
  /** Pending promises with a deadline that is acted on: all but the steps that run in some worker's process. */
  readonly promises: Count;
  /** Tasks, by state. */
  readonly pending: Count;
  readonly acquired: Count;
  readonly suspended: Count;
  readonly halted: Count;
}

/** A part of a list that is in the order of creation, the newest first. */
export interface NewestFirst {
  /** The place after which it goes on: only what is before it. Absent: from the newest. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface Insight {
  /** Promises that start a run: roots that no other promise called. */
  runs(part: NewestFirst): Promise<readonly Outline[]>;
  /** Promises whose task is halted. */
  halted(part: NewestFirst): Promise<readonly Outline[]>;
  /** Of the promises whose ids follow `after` and start with `prefix`, the first by id. */
  named(prefix: string, part: { after: string; limit: number }): Promise<readonly Outline[]>;
  /** The promises of these ids that are there, in any order. */
  outlines(ids: readonly string[]): Promise<readonly Outline[]>;
  /**
   * Promises of the first origin but its root, in the order of creation after the place `after`; then all of the second,
   * and so on. Those whose tag has the same hash may be among them.
   */
  members(
    origins: readonly string[],
    part: { after: number; limit: number },
  ): Promise<readonly Tagged[]>;
  /** Promises that these called by ids of their own. As above. */
  called(
    callers: readonly string[],
    part: { after: number; limit: number },
  ): Promise<readonly Tagged[]>;
  /** All of a promise, and its task. @throws StoreDamagedError */
  whole(
    id: string,
  ): Promise<{ readonly promise: StoredPromise; readonly task?: StoredTask } | undefined>;
  /** Tasks that wait for a promise. */
  awaiters(id: string, limit: number): Promise<readonly string[]>;
  /** Addresses that are to be told of it. */
  listeners(id: string, limit: number): Promise<readonly string[]>;
  /** What these tasks wait for. */
  awaits(
    ids: readonly string[],
    limit: number,
  ): Promise<readonly { readonly awaiter: string; readonly awaited: string }[]>;
  /** Each counted up to `limit`. */
  open(limit: number): Promise<OpenCounts>;
  /** How many tasks each process holds, of the first `limit` that are held. */
  held(limit: number): Promise<ReadonlyMap<string, number>>;
  /** How much room it takes, in bytes. Absent where that is not known. */
  bytes(): Promise<number | undefined>;
}
