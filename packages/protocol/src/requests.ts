/** The requests of the protocol, what each carries and what each is answered with. Types only. */
import type {
  ClaimedTask,
  Message,
  PromiseRecord,
  PromiseState,
  ScheduleRecord,
  SettledState,
  Tags,
  TaskRecord,
  TaskState,
  Value,
} from "./records.ts";

/** The one protocol version that exists. Every request and response names it. */
export const PROTOCOL_VERSION = "2026-04-01";

export interface PromiseCreate {
  readonly id: string;
  readonly timeoutAt: number;
  readonly param: Value;
  readonly tags: Tags;
}

export interface PromiseSettle {
  readonly id: string;
  readonly state: SettledState;
  readonly value: Value;
}

export interface RegisterCallback {
  readonly awaited: string;
  readonly awaiter: string;
}

/** A request inside another one. `head` is not read. */
export interface Action<K extends string, D> {
  readonly kind: K;
  readonly head?: unknown;
  readonly data: D;
}

/** A task at one claim: its id and its fencing token. */
export interface Claim {
  readonly id: string;
  readonly version: number;
}

interface Page {
  /** 1 to 1,000. */
  readonly limit: number;
  /** Opaque; from the previous page. */
  readonly cursor?: string | undefined;
}

/** What each kind of request carries, after parsing (defaults filled in). */
export interface RequestData {
  "promise.get": { readonly id: string };
  "promise.create": PromiseCreate;
  "promise.settle": PromiseSettle;
  "promise.register_callback": RegisterCallback;
  "promise.register_listener": { readonly awaited: string; readonly address: string };
  "promise.search": Page & {
    readonly state?: PromiseState | undefined;
    readonly tags: Tags;
    /** Ours; servers without it ignore it. */
    readonly idPrefix?: string | undefined;
  };
  "task.get": { readonly id: string };
  "task.create": {
    readonly pid: string;
    readonly ttl: number;
    readonly action: Action<"promise.create", PromiseCreate>;
  };
  "task.acquire": Claim & { readonly pid: string; readonly ttl: number };
  "task.fence": Claim & {
    readonly action:
      | Action<"promise.create", PromiseCreate>
      | Action<"promise.settle", PromiseSettle>;
    /**
     * Extension, beside a settle: created in the same step, if what is on record after the settle is what it asked
     * for. Servers without it ignore it.
     */
    readonly then?: Action<"promise.create", PromiseCreate> | undefined;
  };
  "task.heartbeat": { readonly pid: string; readonly tasks: readonly Claim[] };
  "task.suspend": Claim & {
    readonly actions: readonly Action<"promise.register_callback", RegisterCallback>[];
  };
  "task.fulfill": Claim & { readonly action: Action<"promise.settle", PromiseSettle> };
  "task.release": Claim;
  "task.halt": { readonly id: string };
  "task.continue": { readonly id: string };
  "task.search": Page & { readonly state?: TaskState | undefined };
  /**
   * Extension: from now on, and as long as its stream is open, this worker can be given claims on tasks that call these
   * functions. No step: nothing is stored.
   */
  "worker.announce": {
    readonly group: string;
    readonly pid: string;
    /** Length of the leases it is given, in ms. */
    readonly ttl: number;
    /** Most tasks that it works on at a time. */
    readonly slots: number;
    /** The versions it has of each function, by name. */
    readonly functions: Readonly<Record<string, readonly number[]>>;
  };
  "schedule.create": {
    readonly id: string;
    readonly cron: string;
    readonly promiseId: string;
    readonly promiseTimeout: number;
    readonly promiseParam: Value;
    readonly promiseTags: Tags;
  };
  "schedule.get": { readonly id: string };
  "schedule.delete": { readonly id: string };
  "schedule.search": Page & { readonly tags: Tags };
}

export type RequestKind = keyof RequestData;

/** What each kind of request is answered with when it succeeds (status 200, or 300 where said). */
export interface ResponseData {
  "promise.get": { readonly promise: PromiseRecord };
  "promise.create": { readonly promise: PromiseRecord };
  "promise.settle": { readonly promise: PromiseRecord };
  "promise.register_callback": { readonly promise: PromiseRecord };
  "promise.register_listener": { readonly promise: PromiseRecord };
  "promise.search": { readonly promises: readonly PromiseRecord[]; readonly cursor?: string };
  "task.get": { readonly task: TaskRecord };
  "task.create": ClaimedTask;
  "task.acquire": ClaimedTask;
  "task.fence": {
    /** The inner answer: 200 with the promise, or 404 with a message. */
    readonly action: Response<"promise.create"> | Response<"promise.settle"> | Refusal;
    /** The answer to `then`; absent where that was not applied. */
    readonly then?: Response<"promise.create"> | Refusal;
    readonly preload: readonly PromiseRecord[];
  };
  "task.heartbeat": Readonly<Record<string, never>>;
  /** Status 300 (something awaited is settled already: go on) carries `preload`; status 200 does not. */
  "task.suspend": { readonly preload?: readonly PromiseRecord[] };
  "task.fulfill": { readonly promise: PromiseRecord };
  "task.release": Readonly<Record<string, never>>;
  "task.halt": Readonly<Record<string, never>>;
  "task.continue": Readonly<Record<string, never>>;
  "task.search": { readonly tasks: readonly TaskRecord[]; readonly cursor?: string };
  "worker.announce": Readonly<Record<string, never>>;
  "schedule.create": { readonly schedule: ScheduleRecord };
  "schedule.get": { readonly schedule: ScheduleRecord };
  "schedule.delete": Readonly<Record<string, never>>;
  "schedule.search": { readonly schedules: readonly ScheduleRecord[]; readonly cursor?: string };
}

export interface RequestHead {
  /** Echoed in the response. */
  readonly corrId: string;
  readonly version: string;
  /** JWT. */
  readonly auth?: string | undefined;
  /** Extension: the trace that the request is part of (W3C Trace Context). Of use to whoever looks at spans only. */
  readonly traceparent?: string | undefined;
  /**
   * Extension, for requests that are answered with a preload. `delta`: the promises that settled since the
   * task was last claimed, in place of its whole branch. `none`: no preload. Servers without it ignore it.
   */
  readonly "resonate:preload"?: "delta" | "none" | undefined;
  /**
   * Extension, for `task.release` and `task.halt`: why, for people. At most 2,000 characters; what is more is cut off. A
   * release with a cause counts as a claim that ended without a verdict.
   */
  readonly "resonate:cause"?: string | undefined;
  /** The instant at which the request is to be taken, in ms. Ignored by servers that are not in debug mode. */
  readonly "resonate:debug_time"?: number | undefined;
}

type Nothing = Readonly<Record<string, never>>;

/** The requests that a server takes only in debug mode, and what each carries. */
export interface DebugData {
  /** Timers and deliveries rest until `debug.stop`. */
  "debug.start": Nothing;
  "debug.stop": Nothing;
  /** Forgets everything. */
  "debug.reset": Nothing;
  /** Takes every step that is due at `time` (ms). */
  "debug.tick": { readonly time: number };
  "debug.snap": Nothing;
}

export type DebugKind = keyof DebugData;

export type DebugRequest = {
  readonly [K in DebugKind]: {
    readonly kind: K;
    readonly head: RequestHead;
    readonly data: DebugData[K];
  };
}[DebugKind];

/** What `debug.snap` is answered with: records as they are stored, each list by id. */
export interface DebugSnapshot {
  readonly promises: readonly PromiseRecord[];
  readonly tasks: readonly TaskRecord[];
  readonly promiseTimeouts: readonly { readonly id: string; readonly timeout: number }[];
  /** `type` 0: the next offer; 1: the end of the lease. */
  readonly taskTimeouts: readonly {
    readonly id: string;
    readonly type: 0 | 1;
    readonly timeout: number;
  }[];
  readonly callbacks: readonly { readonly awaiter: string; readonly awaited: string }[];
  readonly listeners: readonly { readonly id: string; readonly address: string }[];
  readonly messages: readonly { readonly address: string; readonly message: Message }[];
}

export interface DebugResponse {
  readonly kind: DebugKind;
  readonly head: ResponseHead;
  readonly data: DebugSnapshot | Nothing | readonly never[];
}

/** A request as it is sent: `POST /` with this as its JSON body. */
export interface Request<K extends RequestKind = RequestKind> {
  readonly kind: K;
  readonly head: RequestHead;
  readonly data: RequestData[K];
}

export interface ResponseHead {
  readonly corrId: string;
  /** Same as the HTTP status of a single request. */
  readonly status: number;
  readonly version: string;
}

export interface Response<K extends RequestKind = RequestKind> {
  readonly kind: K;
  readonly head: ResponseHead & { readonly status: 200 | 300 };
  readonly data: ResponseData[K];
}

/** The answer to a request that was refused or failed: `data` is a message for people. */
export interface Refusal {
  readonly kind: string;
  readonly head: ResponseHead;
  readonly data: string;
}

/** Tells an answer from a refusal. */
export function isRefusal(response: Response | Refusal): response is Refusal {
  return response.head.status !== 200 && response.head.status !== 300;
}
