/** The port to what keeps records. A store knows records, not rules: no protocol rule is written in SQL. */
import type {
  Change,
  Listener,
  ScheduleRecord,
  Snapshot,
  StoredPromise,
  StoredTask,
} from "../core/records.ts";
import type { Awaits, Keys, Search, Step, Tree } from "../core/step.ts";
import type { Insight } from "./insight.ts";

export interface Loaded {
  readonly promises: readonly StoredPromise[];
  readonly tasks: readonly StoredTask[];
  /** One entry per asked id: those not yet told, at most `OBLIGATIONS_MAX` of each kind. */
  readonly obligations: readonly LoadedObligations[];
  readonly listeners: readonly Listener[];
  /** One entry per asked id. */
  readonly awaits: readonly LoadedAwaits[];
  readonly schedules: readonly ScheduleRecord[];
  /** One entry per asked origin. */
  readonly trees: readonly Tree[];
  /** Where the store has the clock: an instant at which all that was asked for had been kept from others. */
  readonly at?: number;
}

export interface LoadedObligations {
  readonly id: string;
  readonly callbacks: readonly string[];
  readonly listeners: readonly string[];
  readonly more: boolean;
}

export interface LoadedAwaits extends Awaits {
  readonly id: string;
}

/** One page of a search, by id. */
export type Found = (
  | { readonly kind: "promises"; readonly records: readonly StoredPromise[] }
  | { readonly kind: "tasks"; readonly records: readonly StoredTask[] }
  | { readonly kind: "schedules"; readonly records: readonly ScheduleRecord[] }
) & {
  /** The id after which the next page starts; absent on the last one. A page may be short, or empty, and not the last. */
  readonly next?: string;
};

/** What `due` found. */
export interface Due {
  /** At most as many as asked for, the longest due first. */
  readonly steps: readonly Step[];
  /** The next instant at which something will be due that is not among `steps`. */
  readonly nextAt?: number;
}

/** A pending task with its promise. */
export interface Pending {
  readonly task: StoredTask;
  readonly promise: StoredPromise;
}

/** A process in a group. */
export interface Place {
  readonly group: string;
  /** The process (its pid). */
  readonly id: string;
}

/** What the servers that share a store tell each other. Lost without harm: it is found by a look. */
export interface Hints {
  /** Groups of workers for which there is work that nobody here takes at once. */
  readonly groups: readonly string[];
  /** Settled promises, and who is to hear of them that is not connected here. */
  readonly settled: readonly Settled[];
}

export interface Settled {
  readonly id: string;
  /** A listener, or the process that held the claim. */
  readonly to: { readonly address: string } | { readonly pid: string };
}

/** What a look at a shared store shows one of its servers. */
export interface Sight {
  /** Of the groups that want work, the longest due first. */
  readonly pending: readonly Pending[];
  /** Results that listeners of the groups that are here have not been told for a while. */
  readonly notices: readonly { readonly promise: StoredPromise; readonly address: string }[];
  /** Who was connected to servers that are there no more. Shown to one server only. */
  readonly abandoned: readonly Place[];
  /** The first instant at which something is, or will be, due. */
  readonly dueAt?: number;
}

/** What is said of a shared store to those who look on. */
export interface Survey {
  readonly elsewhere: readonly Place[];
  /** Pending tasks by group; `oldestAt`: when the first of them was created, where it has never been claimed. */
  readonly waiting: ReadonlyMap<
    string,
    { readonly count: number; readonly more: boolean; readonly oldestAt?: number }
  >;
}

/** What a store does for servers that share it. */
export interface Sharing {
  /** Says that this server is there and who is connected to it, and looks what there is for it: one question. */
  look(self: {
    readonly at: number;
    readonly places: readonly Place[];
    /** Groups whose workers are connected here. */
    readonly groups: readonly string[];
    /** Those of them that want work. */
    readonly wanting: readonly string[];
  }): Promise<Sight>;
  /** Who is connected to other servers that are there at `at`, and what waits for whom: of each group up to `limit`. */
  survey(look: { readonly at: number; readonly limit: number }): Promise<Survey>;
  /** Whether a process is connected for that group to another server that is there at `at`. */
  elsewhere(place: Place, at: number): Promise<boolean>;
  /** Tells the other servers, soon. Never throws. */
  hint(hints: Partial<Hints>): void;
  /** Has others' hints come in from now on. */
  listen(heard: (hints: Hints) => void): void;
}

/** A tree whose root, if it has one, had settled at some instant, or its deadline had passed. */
export interface OldTree {
  readonly origin: string;
  /** The promise whose call made the root, where that has an id of its own. */
  readonly caller?: string;
  /** How many promises it has. */
  readonly size: number;
  /** Where it was found, in the order of creation. */
  readonly place: number;
}

export interface OldTrees {
  readonly trees: readonly OldTree[];
  /** Where to go on; absent when all that was created by then has been looked at. */
  readonly next?: number;
}

/**
 * Keeps records.
 *
 * @throws StoreUnknownError from `transaction` when it cannot be known whether the commit happened.
 */
export interface Store {
  /**
   * Runs `work`, whose steps are taken at the instant `at`, atomically and, when the promise it returns resolves,
   * durably. Transactions run one after the other.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T>;
  /** As `transaction`, for work that only reads, and beside all others. Absent where there is one at a time. */
  aside?<T>(work: (tx: Transaction) => Promise<T>, at: number): Promise<T>;
  /** No transaction of an earlier process was at a later instant, in ms since the epoch; 0 in a new store. */
  readonly clockFloor: number;
  /** False from a write that found no room (a full disk) until one succeeds, with room to spare. */
  readonly writable: boolean;
  /** The internal steps that are due at `at`: time-outs, announcements, notices, offers, lease ends, schedules. */
  due(at: number, limit: number): Promise<Due>;
  /** Acquired tasks that `pid` holds, or all that anyone holds; at most `limit`. */
  heldBy(pid: string | undefined, limit: number): Promise<readonly StoredTask[]>;
  /** Pending tasks, the longest due first, but those that cannot be read (their offers fall due, and fail then). */
  pending(limit: number): Promise<readonly Pending[]>;
  /**
   * Looks at up to `limit` promises after the place `after` in the order of creation, up to one that was created after
   * the instant `before`, for roots that had settled at `before`, or their deadline had passed; and for descendants
   * whose root is not there.
   */
  oldTrees(look: { after: number; before: number; limit: number }): Promise<OldTrees>;
  /** What is shown to those who look on. */
  readonly insight: Insight;
  /** Absent where no other server can have the store. */
  readonly sharing?: Sharing | undefined;
  /** Everything at once, in memory: for debugging only. */
  snapshot(): Promise<Snapshot>;
  /** Forgets everything: for debugging only. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Where `bytesMax` is given, reading ends early, but not before the first record, when what was read is about that
 * large: the parameters, values and tags of promises.
 */
export interface Transaction {
  /** Reads, and keeps others from writing, the named records. Absent ones are left out (obligations: empty). */
  load(keys: Keys): Promise<Loaded>;
  /** Applies changes, in order. May be called several times; what follows in this transaction sees them. */
  write(changes: readonly Change[]): Promise<void>;
  /** The promises tagged with this branch, by id. */
  branch(branch: string, bytesMax?: number): Promise<readonly StoredPromise[]>;
  /** The promises whose settling resumed this task since its last claim, by id. */
  resumed(awaiter: string, bytesMax?: number): Promise<readonly StoredPromise[]>;
  /**
   * What `branch` and `resumed` find, for many at once: those of which there is little, together at most `bytesMax`.
   * Absent where a question is no journey, and nothing is won by asking many at once.
   */
  ahead?(
    asked: { readonly branches: readonly string[]; readonly awaiters: readonly string[] },
    bytesMax: number,
  ): Promise<Ahead>;
  /** Tasks are as of `at`, and so are the states that are asked for. */
  search(search: Search, at: number, bytesMax?: number): Promise<Found>;
}

/** All of what was asked for, or nothing, of each. */
export interface Ahead {
  /** By the branch. */
  readonly branches: ReadonlyMap<string, readonly StoredPromise[]>;
  /** By the awaiter. */
  readonly resumed: ReadonlyMap<string, readonly StoredPromise[]>;
}

/** The outcome of a commit cannot be known: the server must stop, so that the next start reads what is there. */
export class StoreUnknownError extends Error {
  override readonly name = "StoreUnknownError";
}

/** The outcome of a commit cannot be known, and the server can go on: it remembers nothing that depends on it. */
export class CommitUnknownError extends Error {
  override readonly name = "CommitUnknownError";
}

/** Nothing was written (a full disk, say), and trying again may succeed. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** What is stored of a record is not what was written. The message names it, and says what to do. */
export class StoreDamagedError extends Error {
  override readonly name = "StoreDamagedError";
}

/** Another process has the store open. The message says which. */
export class StoreInUseError extends Error {
  override readonly name = "StoreInUseError";
}

/** The store cannot be used as it is: not ours, damaged, newer than this version, or not writable. */
export class StoreUnusableError extends Error {
  override readonly name = "StoreUnusableError";
}
