/** What the store keeps: the protocol's records, and the instants at which the server itself must act on them. */
import type { PromiseRecord, ScheduleRecord, TaskRecord } from "@resonate-ts/protocol";

export type { ScheduleRecord };

export interface StoredPromise extends PromiseRecord {
  /**
   * When the server must act: the deadline of a pending external promise; the instant of settling while
   * awaiters are left to be told (more than one page of them); absent otherwise.
   */
  readonly dueAt?: number;
}

export interface StoredTask extends TaskRecord {
  /** When the server must act: the next offer while pending, the end of the lease while acquired; absent otherwise. */
  readonly dueAt?: number;
}

/** `awaiter` (a task) waits for `awaited` (a pending promise). */
export interface Callback {
  readonly awaited: string;
  readonly awaiter: string;
}

/** `address` wants to hear of `awaited`. */
export interface Listener {
  readonly awaited: string;
  readonly address: string;
  /** Set when `awaited` has settled: send now, and again at this instant unless it was delivered. */
  readonly notifyAt?: number;
}

/** All that is stored of promises and tasks, each list by id. */
export interface Snapshot {
  readonly promises: readonly StoredPromise[];
  readonly tasks: readonly StoredTask[];
  /** By awaiter, then awaited. */
  readonly callbacks: readonly Callback[];
  /** By awaited, then address. */
  readonly listeners: readonly Listener[];
}

/** One write. Whole records; the last one to a key wins. */
export type Change = Put | Delete;

export type Put =
  | { readonly put: "promise"; readonly record: StoredPromise }
  | { readonly put: "task"; readonly record: StoredTask }
  | { readonly put: "callback"; readonly record: Callback }
  /** `awaited` settled since `awaiter` was last claimed. */
  | { readonly put: "resume"; readonly record: Callback }
  | { readonly put: "listener"; readonly record: Listener }
  | { readonly put: "schedule"; readonly record: ScheduleRecord };

export type Delete =
  /** With its task, and all that refers to it as awaited. */
  | { readonly delete: "promise"; readonly id: string }
  | { readonly delete: "callback"; readonly record: Callback }
  | { readonly delete: "resumes"; readonly awaiter: string }
  | { readonly delete: "listener"; readonly record: Pick<Listener, "awaited" | "address"> }
  | { readonly delete: "schedule"; readonly id: string };

/** A message to send once the transaction is durable. */
export type Outgoing =
  | {
      readonly kind: "execute";
      readonly address: string;
      readonly task: { readonly id: string; readonly version: number };
      readonly promise: PromiseRecord;
    }
  | { readonly kind: "unblock"; readonly address: string; readonly promise: PromiseRecord }
  /**
   * To this server: the task was suspended on nothing but suspended tasks, so that they may all be waiting for each
   * other. Lost without harm: the first of their deadlines ends that too.
   */
  | { readonly kind: "tangled"; readonly id: string }
  /** To the process that holds a claim: somebody else has settled the promise. Lost without harm. */
  | { readonly kind: "revoke"; readonly pid: string; readonly promise: PromiseRecord };
