/**
 * What a server tells about itself and its work, for the page at `/ui` and the command line: `GET /ui/api/…`, answered
 * with the JSON of these types. Nothing here belongs to the Resonate protocol, and nothing changes anything: what acts
 * (cancel, retry, invoke) is an ordinary request to `POST /`.
 *
 * All of it is for those who may see everything. A refusal has the status that fits it and `{ "error": "…" }`.
 * Lists carry no payloads, and come in pages: `cursor` is there as long as there may be more, and is opaque.
 */
import type {
  PromiseRecord,
  PromiseState,
  ScheduleRecord,
  TaskRecord,
  TaskState,
} from "./records.ts";

/** `GET /ui/api/overview`. */
export interface Overview {
  /** The server's clock. */
  readonly at: number;
  readonly startedAt: number;
  readonly version: string;
  readonly storage: { readonly type: "sqlite" | "memory" | "postgres"; readonly bytes?: number };
  /**
   * What is not settled, or not done; but steps, which are a part of their caller's task. Counted up to a limit; `more`
   * where there is more than was counted.
   */
  readonly open: Readonly<Record<"promises" | Exclude<TaskState, "fulfilled">, Counted>>;
  /** The last five minutes, a point for each second in which something happened, oldest first. */
  readonly series: readonly ActivityPoint[];
  readonly groups: readonly WorkerGroup[];
}

export interface Counted {
  readonly count: number;
  readonly more?: boolean;
}

/** One second of a server's life. */
export interface ActivityPoint {
  /** Its beginning. */
  readonly at: number;
  readonly requests: number;
  readonly commits: number;
  /** Promises. */
  readonly created: number;
  readonly settled: number;
  /** Of requests, in ms. Absent where there was none. */
  readonly p50?: number;
  readonly p99?: number;
}

/** `GET /ui/api/workers`: also part of the overview. */
export interface WorkerGroup {
  readonly group: string;
  /** Tasks that wait for a worker of the group. */
  readonly pending: Counted;
  /** Since when the first of them has waited. */
  readonly oldestPendingAt?: number;
  readonly workers: readonly Worker[];
}

export interface Worker {
  /** As in its address. */
  readonly id: string;
  /** Absent for one that is connected to another server. */
  readonly connectedAt?: number;
  /** How many tasks it takes at a time, if it has said so. */
  readonly slots?: number;
  /** Tasks that it holds. */
  readonly holds: number;
  /** Functions it has announced, with their versions; absent for a worker that announces none. */
  readonly functions?: readonly { readonly name: string; readonly versions: readonly number[] }[];
}

/** What started a promise: the run itself, a call to a worker, a step, a timer, or a promise that others settle. */
export type NodeKind = "root" | "rpc" | "run" | "sleep" | "promise";

/** A promise without its payloads. */
export interface ExecutionNode {
  readonly id: string;
  readonly kind: NodeKind;
  /** Where the payload can be read. */
  readonly func?: string;
  readonly version?: number;
  readonly state: PromiseState;
  readonly createdAt: number;
  readonly settledAt?: number;
  readonly timeoutAt: number;
  /** The promise whose function started this one. Absent for a root. */
  readonly parent?: string;
  /** It has an id of its own, so that others may use it too. */
  readonly shared?: boolean;
  readonly schedule?: string;
  readonly target?: string;
  /** In events `pid` is there also when nobody holds it: whoever was seen to, last. */
  readonly task?: Pick<TaskRecord, "state" | "version" | "pid" | "failures">;
  /** Bytes, as they are stored. */
  readonly paramBytes: number;
  readonly valueBytes: number;
}

/**
 * `GET /ui/api/executions?state=&idPrefix=&func=&limit=&cursor=`: runs (roots), the newest first; with `idPrefix` also
 * calls with an id of their own, and the promise of exactly that id, where not too many ids start so. `state` is that of a
 * promise, or `halted`: then all that is halted, calls below a run too. `limit` 1–200, default 50. A page may have fewer,
 * or none, and a cursor all the same: a filter looks at so many at a time.
 */
export interface ExecutionPage {
  readonly executions: readonly ExecutionNode[];
  readonly cursor?: string;
}

/**
 * `GET /ui/api/tree?id=`: all of the run that `id` belongs to, parents before their children, else by `createdAt`. At most
 * 20,000; `truncated` when there are more. `id` may be any promise of it.
 */
export interface ExecutionTree {
  readonly root: string;
  readonly at: number;
  readonly nodes: readonly ExecutionNode[];
  readonly truncated?: boolean;
  /** Who awaits whom beyond parents and children: across branches and runs. */
  readonly edges: readonly { readonly awaiter: string; readonly awaited: string }[];
}

/** `GET /ui/api/promise?id=`: all of one promise. Payloads above 256 KiB are cut, and said to be. */
export interface PromiseDetail {
  readonly promise: PromiseRecord;
  readonly node: ExecutionNode;
  readonly task?: TaskRecord;
  /** `param.data`, `value.data` as text, when they are base64 of UTF-8; pretty-printed where that is JSON. */
  readonly paramText?: string;
  readonly valueText?: string;
  /** Sizes of what was cut, in characters of `data`. */
  readonly cut?: { readonly param?: number; readonly value?: number };
  /** Tasks that wait for it, and addresses that are told; at most 100 of each. */
  readonly awaiters: readonly string[];
  readonly listeners: readonly string[];
  /** What its task waits for; at most 100. */
  readonly awaits: readonly string[];
}

/** `GET /ui/api/why?id=`: why it does not move. */
export interface Why {
  readonly id: string;
  readonly at: number;
  /** Whether anybody can do something about it, or it just takes its time. */
  readonly verdict: "settled" | "running" | "waiting" | "stuck";
  /** What holds it up, the most telling first; at least one. */
  readonly reasons: readonly Reason[];
}

export interface Reason {
  readonly code:
    | "settled"
    | "running"
    | "no-worker"
    | "workers-busy"
    | "no-such-function"
    | "no-such-version"
    | "offered"
    | "delayed"
    | "awaits"
    | "sleeps"
    | "lease"
    | "halted"
    | "failed-before"
    | "external";
  /** One sentence for people, with what to do where there is something to do. */
  readonly text: string;
  /** Promises it is about; for `awaits`, the ones at the end of the chain first. */
  readonly ids?: readonly string[];
  /** An instant it is about: of the next try, the end of a lease, the deadline. */
  readonly until?: number;
}

/** `GET /ui/api/schedules?limit=&cursor=`. */
export interface SchedulePage {
  readonly schedules: readonly ScheduleRecord[];
  readonly cursor?: string;
}

/**
 * `GET /ui/api/events[?id=]`: server-sent events. `activity` once a second in which something happened; `workers` when they
 * change, at most once a second; without `id`, `executions`: runs that are new or have changed; with `id`, `nodes` of the
 * run it belongs to. What changed in a quarter of a second comes together. `reset`: some were left out, read everything
 * again.
 */
export type DashboardEvent =
  | { readonly event: "activity"; readonly data: ActivityPoint }
  | { readonly event: "workers"; readonly data: readonly WorkerGroup[] }
  | { readonly event: "nodes"; readonly data: readonly ExecutionNode[] }
  | { readonly event: "executions"; readonly data: readonly ExecutionNode[] }
  | { readonly event: "reset"; readonly data: Readonly<Record<string, never>> };
