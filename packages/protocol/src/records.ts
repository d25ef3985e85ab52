/**
 * What a server keeps and shows: promises, tasks, schedules, and the messages it sends to workers.
 *
 * All instants (`*At`) are milliseconds since the Unix epoch, by the server's clock. Optional fields are
 * absent, never `null`. The records are those of Resonate protocol version `2026-04-01`.
 */

/** A payload as it travels: `data` is opaque to the server; SDKs put base64 of UTF-8 JSON there. */
export interface Value {
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: string;
}

export type Tags = Readonly<Record<string, string>>;

/** How a client may settle a promise; `rejected_timedout` is the server's own verdict. */
export type SettledState = "resolved" | "rejected" | "rejected_canceled";

export type PromiseState = "pending" | SettledState | "rejected_timedout";

export interface PromiseRecord {
  readonly id: string;
  readonly state: PromiseState;
  /** Fixed when the promise is created. */
  readonly param: Value;
  /** Set once, by settling. Empty while pending, and when the deadline settled it. */
  readonly value: Value;
  readonly tags: Tags;
  /** The deadline. At this instant the promise is settled, whoever looks. */
  readonly timeoutAt: number;
  readonly createdAt: number;
  /** Present exactly when the promise is settled. */
  readonly settledAt?: number;
}

export type TaskState = "pending" | "acquired" | "suspended" | "halted" | "fulfilled";

/** The right to run a function. Has the id of its promise; exists when that promise has a target. */
export interface TaskRecord {
  readonly id: string;
  readonly state: TaskState;
  /** Fencing token: counts the claims; every call about a claim must carry it. */
  readonly version: number;
  /** How many awaited promises settled since the task was last claimed or parked. */
  readonly resumes: number;
  /** Lease length in ms, as the holder asked for it. Only while acquired. */
  readonly ttl?: number;
  /** The process that holds the claim. Only while acquired. */
  readonly pid?: string;
  /**
   * Extension: how many claims in a row ended without a verdict, because their lease ran out, their holder was lost, or
   * they were given back with a cause. Absent: none.
   */
  readonly failures?: number;
  /** Extension: why the last claim was given back, or why the task was halted, as the worker said. */
  readonly cause?: string;
}

export interface ScheduleRecord {
  readonly id: string;
  readonly cron: string;
  /** Template of the ids it creates: `{{.id}}` and `{{.timestamp}}` are replaced. */
  readonly promiseId: string;
  /** Deadline of each promise, in ms after the occurrence. */
  readonly promiseTimeout: number;
  readonly promiseParam: Value;
  readonly promiseTags: Tags;
  readonly createdAt: number;
  readonly nextRunAt: number;
  /** Absent until the first firing. */
  readonly lastRunAt?: number;
}

/** Asks a worker to claim and run a task; or, with the promise, to run one that has been claimed for it (an extension). */
export interface ExecuteMessage {
  readonly kind: "execute";
  readonly head: {
    readonly serverUrl?: string;
    /** Only with a claim. `preload` holds what settled since the task was last claimed, in place of the whole branch. */
    readonly "resonate:preload"?: "delta";
  };
  readonly data: { readonly task: { readonly id: string; readonly version: number } } | ClaimedTask;
}

/** A task with the claim on it. */
export interface ClaimedTask {
  readonly task: TaskRecord;
  readonly promise: PromiseRecord;
  /** Promises that the function will ask for. */
  readonly preload: readonly PromiseRecord[];
}

/** Tells a listener that a promise settled. May arrive more than once. */
export interface UnblockMessage {
  readonly kind: "unblock";
  readonly head: Readonly<Record<string, never>>;
  readonly data: { readonly promise: PromiseRecord };
}

export type Message = ExecuteMessage | UnblockMessage;
