/**
 * The shape of the server's core. Everything that moves its state is a step: the requests of the protocol, and
 * the server's own steps. A step names the records it may touch (`keys`), and says what it does to them
 * (`apply`) as data. Handlers are pure, synchronous and total: the clock and the settings are inputs.
 *
 * I1. `apply` reads only records that `keys` named.
 * I2. Taking an internal step twice does what taking it once does: each checks that it is still due.
 * I3. Every handler decides on, and answers with, the projection of a promise at `world.at` (`project.ts`).
 */
import type {
  PromiseCreate,
  PromiseState,
  RequestData,
  RequestHead,
  Tags,
  TaskState,
} from "@resonate-ts/protocol";
import type {
  Change,
  Listener,
  Outgoing,
  ScheduleRecord,
  StoredPromise,
  StoredTask,
} from "./records.ts";

/** The server's own steps. Ids name promises (and so their tasks). */
interface InternalSteps {
  /** The deadline of a pending promise has come. */
  "promise.timeout": { readonly id: string };
  /** Tells the next page of those who wait for a settled promise. */
  "promise.announce": { readonly id: string };
  /** Tells one awaiter that `awaited` settled. */
  "task.resume": { readonly awaited: string; readonly awaiter: string };
  /** Tells one listener that `awaited` settled. */
  "promise.notify": { readonly awaited: string; readonly address: string };
  /** A listener has been told. */
  "promise.notified": { readonly awaited: string; readonly address: string };
  /** Sends `execute` for a task that is still pending, and arms the next offer. */
  "task.offer": { readonly id: string; readonly version: number };
  /** A claim is over without its holder having said so. */
  "task.expire": {
    readonly id: string;
    readonly version: number;
    /** The holder is known to be gone, or never to have had it; otherwise the lease has to have run out. */
    readonly lost: boolean;
    /** Nobody is known to have worked on it: a claim that was given and not taken up. It counts as no failure. */
    readonly untouched?: boolean;
    /** Only a task of this group: what is known of its holder is known from there. */
    readonly group?: string;
    /** Only a task whose target is polled: whoever holds it would have a stream by now. */
    readonly onlyPolled?: boolean;
  };
  /** An occurrence is due. */
  "schedule.fire": { readonly id: string; readonly occurrence: number };
  /**
   * Forgets a page of a tree that ended at `before` or earlier. `caller`: the promise whose call made its root, where
   * that is of another tree.
   */
  "tree.retire": { readonly origin: string; readonly before: number; readonly caller?: string };
  /** Ends a deadlock by rejecting the promise of one of its tasks, if the deadlock is still there. */
  "cycle.break": Deadlock;
  /** Creates the promise of an occurrence, unless its id is taken. */
  "schedule.spawn": { readonly promise: PromiseCreate; readonly occurrence: number };
}

export type Steps = Omit<RequestData, "worker.announce"> & InternalSteps;
export type StepKind = keyof Steps;
export type Step<K extends StepKind = StepKind> = {
  readonly [P in K]: { readonly kind: P; readonly data: Steps[P]; readonly head?: RequestHead };
}[K];

/** The records a step may read or write, known from the step alone. */
export interface Keys {
  /** Promises with their tasks. */
  readonly promises?: readonly string[];
  /** Promises whose awaiters and listeners are wanted: the first page of them. */
  readonly obligations?: readonly string[];
  readonly listeners?: readonly ListenerKey[];
  /** Tasks whose awaited promises are wanted: the first page of them, as they are in the store. */
  readonly awaits?: readonly string[];
  readonly schedules?: readonly string[];
  /** Trees, by their origin, as they are in the store. */
  readonly trees?: readonly string[];
}

/** Names a listener. */
export interface ListenerKey {
  readonly awaited: string;
  readonly address: string;
}

/** Those who wait for one promise and have not been told: at most `OBLIGATIONS_MAX` of each kind. */
export interface Obligations {
  /** Ids of awaiters. */
  readonly callbacks: ReadonlySet<string>;
  /** Addresses of those that have not been told, by the store's order. */
  readonly listeners: ReadonlySet<string>;
  /** More are stored than are shown. */
  readonly more: boolean;
}

/** The promises that a task awaits: at most `OBLIGATIONS_MAX`. */
export interface Awaits {
  readonly awaited: readonly string[];
  /** More are stored than are shown. */
  readonly more: boolean;
}

/** Tasks that wait for each other and for nothing else. */
export interface Deadlock {
  /** All tasks of which nothing but each other is awaited. */
  readonly members: readonly string[];
  /** Some of them: each awaits the next one, and the last one the first. The promise of the first is rejected. */
  readonly cycle: readonly [string, ...string[]];
}

/** One page of obligations; a settlement with more is announced over several transactions. */
export const OBLIGATIONS_MAX = 1_000;

/** The promises of one origin (the root without that tag too). */
export interface Tree {
  readonly origin: string;
  /** When the last of all of them has settled, or will have, by its deadline at the latest. 0 for an empty tree. */
  readonly endsAt: number;
  /** The first of them, at most `TREE_PAGE`; the root is the last of all. */
  readonly members: readonly TreeMember[];
}

export interface TreeMember {
  readonly id: string;
  /** As in `StoredPromise`. */
  readonly dueAt?: number;
  /** The state of its task, if it has one. */
  readonly task?: TaskState;
  /** It has awaiters or listeners, or a task that it resumed and that has not been claimed since. */
  readonly wanted: boolean;
}

/** Most promises of a tree that one step looks at. */
export const TREE_PAGE = 1_000;

export interface CoreSettings {
  /** How long an offered task may stay unclaimed before it is offered again, in ms. */
  readonly retryTimeoutMs: number;
  /** The longest that this grows to, in ms, while nobody takes the task. Default: it does not grow. */
  readonly retryTimeoutMsMax?: number;
}

/** The loaded records and the clock, fixed for the length of one step. */
export interface World {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly settings: CoreSettings;
  promise(id: string): StoredPromise | undefined;
  task(id: string): StoredTask | undefined;
  obligations(id: string): Obligations;
  listener(key: ListenerKey): Listener | undefined;
  awaits(id: string): Awaits;
  schedule(id: string): ScheduleRecord | undefined;
  tree(origin: string): Tree;
}

/** A read that cannot be named by keys; the engine runs it in the same transaction. */
export type Query =
  /** The promises of a branch but one, by id. */
  | { readonly kind: "branch"; readonly branch: string; readonly except: string }
  /** The promises that settled since the task was last claimed. Runs before the step's own changes. */
  | { readonly kind: "resumed"; readonly awaiter: string }
  | { readonly kind: "promises"; readonly ids: readonly string[] };

export type Search =
  | {
      readonly kind: "promises";
      readonly state?: PromiseState | undefined;
      readonly tags: Tags;
      readonly idPrefix?: string | undefined;
      readonly limit: number;
      readonly after?: string;
    }
  | {
      readonly kind: "tasks";
      readonly state?: TaskState | undefined;
      readonly limit: number;
      readonly after?: string;
    }
  | {
      readonly kind: "schedules";
      readonly tags: Tags;
      readonly limit: number;
      readonly after?: string;
    };

/** The answer to a request. */
export type Reply =
  | {
      readonly status: 200 | 300;
      readonly data: Readonly<Record<string, unknown>>;
      /** What to put into `data.preload`, projected. Absent: the answer has no preload. */
      readonly preload?: readonly Query[];
      /** The page to put into `data`, projected. */
      readonly search?: Search;
    }
  | { readonly status: 400 | 403 | 404 | 409 | 422; readonly error: string };

/** All that a step did. Steps return effects; only the engine performs them. */
export interface Effects {
  readonly changes?: readonly Change[];
  readonly messages?: readonly Outgoing[];
  /** Steps to take next, in the same transaction. */
  readonly next?: readonly Step[];
}

export interface Handler<K extends StepKind> {
  keys(data: Steps[K], head?: RequestHead): Keys;
  /**
   * What it may ask for, or lead to, besides what it names: from the records as they are before the steps that come
   * first. A guess: it is read for many steps at once, and what was not foreseen is read when the step is taken.
   */
  ahead?(data: Steps[K], world: World, head?: RequestHead): readonly Query[];
  apply(data: Steps[K], world: World, head?: RequestHead): Effects & { readonly reply?: Reply };
}
