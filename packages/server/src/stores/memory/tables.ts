/**
 * The records in memory, and what finds them. Every change can be taken back until `keep` is called.
 *
 * I1. Records are copied when they come in and frozen: nobody outside can change them.
 * I2. Every change here is followed by its inverse in `#undo`, in terms of these same methods' private halves.
 */
import { TAG, type Tags, type Value } from "@resonate-ts/protocol";
import type {
  Callback,
  Listener,
  ScheduleRecord,
  StoredPromise,
  StoredTask,
} from "../../core/records.ts";
import { INDEXED_TAGS, type IndexedTag } from "../search.ts";
import { byBytes, OrderedIndex } from "./ordered-index.ts";

/** A promise, its task, and who waits for it. */
export interface Entry {
  /** Counts the promises in the order of creation. */
  readonly seq: number;
  promise: StoredPromise;
  task: StoredTask | undefined;
  /** Those that wait, in the order of creation. */
  callbacks: OrderedIndex<Entry> | undefined;
  /** What it waits for, in the order in which it began to. */
  awaits: Set<Entry> | undefined;
  listeners: Map<string, Listener> | undefined;
  /** Addresses of listeners that have not been told. */
  untold: OrderedIndex<string> | undefined;
  /** The promises whose settling resumed the task since its last claim. */
  resumes: Set<Entry> | undefined;
  /** The tasks that its settling resumed, and that have not been claimed since. */
  resumed: Set<Entry> | undefined;
}

/** Something that is due: a promise or a task by `seq`, a listener by that of its promise and its address, a schedule by id. */
export interface DueKey {
  readonly at: number;
  readonly seq: number;
  readonly id: string;
  readonly address: string;
}

export class Tables {
  readonly promises = new Map<string, Entry>();
  readonly ids = new OrderedIndex<string>(byBytes);
  readonly created = new OrderedIndex<Place>(byCreation);
  /** Roots that no other promise called, the newest first. */
  readonly runs = new OrderedIndex<Place>((one, other) => byCreation(other, one));
  readonly schedules = new Map<string, ScheduleRecord>();
  readonly scheduleIds = new OrderedIndex<string>(byBytes);
  readonly duePromises = new OrderedIndex<DueKey>(byInstant);
  readonly dueTasks = new OrderedIndex<DueKey>(byInstant);
  readonly dueListeners = new OrderedIndex<DueKey>(byInstant);
  readonly dueSchedules = new OrderedIndex<DueKey>(byInstant);
  /** Entries of acquired tasks, by the process that holds them. */
  readonly held = new Map<string, Set<Entry>>();
  /** Entries of suspended and halted tasks. */
  readonly parked = new Set<Entry>();
  readonly #tagged: Readonly<Record<IndexedTag, Map<string, OrderedIndex<string>>>> = {
    "resonate:caller": new Map(),
    "resonate:branch": new Map(),
    "resonate:origin": new Map(),
  };
  #nextSeq = 1;
  #undo: (() => void)[] = [];

  /** Ids of the promises whose tag `name` is `text`, but those where it is their own id. */
  tagged(name: IndexedTag, text: string): OrderedIndex<string> | undefined {
    return this.#tagged[name].get(text);
  }

  /** The entries after the one of this number, in the order of creation. */
  createdAfter(seq: number): IteratorObject<Entry, undefined> {
    return this.created.after({ seq, id: "" }).map(({ id }) => this.entry(id));
  }

  entry(id: string): Entry {
    const entry = this.promises.get(id);
    if (!entry) throw new Error(`a change refers to promise '${id}', which does not exist`);
    return entry;
  }

  /** What was changed since the last call stays. */
  keep(): void {
    this.#undo = [];
  }

  /** What was changed since `keep` is taken back. */
  takeBack(): void {
    const undo = this.#undo;
    this.#undo = [];
    for (const step of undo.reverse()) step();
  }

  putPromise(record: StoredPromise): void {
    const entry = this.promises.get(record.id);
    if (entry) this.#changePromise(entry, record);
    else this.#createPromise(record);
  }

  deletePromise(id: string): void {
    this.deleteResumes(id);
    const entry = this.entry(id);
    const { task } = entry;
    this.#setTask(entry, undefined);
    this.#forgetPromise(entry);
    this.#undo.push(() => {
      this.#rememberPromise(entry);
      this.#setTask(entry, task);
    });
  }

  putTask(record: StoredTask): void {
    const entry = this.entry(record.id);
    const before = entry.task;
    this.#setTask(entry, Object.freeze({ ...record }));
    this.#undo.push(() => this.#setTask(entry, before));
  }

  putCallback({ awaited, awaiter }: Callback): void {
    const waiting = this.entry(awaiter);
    const entry = this.entry(awaited);
    if (waiting.awaits?.has(entry)) return;
    wait(waiting, entry);
    this.#undo.push(() => unwait(waiting, entry));
  }

  deleteCallback({ awaited, awaiter }: Callback): void {
    const waiting = this.entry(awaiter);
    const entry = this.entry(awaited);
    if (!waiting.awaits?.has(entry)) return;
    unwait(waiting, entry);
    this.#undo.push(() => wait(waiting, entry));
  }

  putResume({ awaited, awaiter }: Callback): void {
    const waiting = this.entry(awaiter);
    const entry = this.entry(awaited);
    if (waiting.resumes?.has(entry)) return;
    link(waiting, entry);
    this.#undo.push(() => unlink(waiting, entry));
  }

  deleteResumes(awaiter: string): void {
    const waiting = this.entry(awaiter);
    for (const entry of [...(waiting.resumes ?? [])]) {
      unlink(waiting, entry);
      this.#undo.push(() => link(waiting, entry));
    }
  }

  putListener(record: Listener): void {
    this.#changeListener(record, Object.freeze({ ...record }));
  }

  deleteListener(key: Pick<Listener, "awaited" | "address">): void {
    this.#changeListener(key, undefined);
  }

  putSchedule(record: ScheduleRecord): void {
    const promiseParam = copyOf(record.promiseParam);
    const promiseTags = frozen(record.promiseTags);
    this.#changeSchedule(record.id, Object.freeze({ ...record, promiseParam, promiseTags }));
  }

  deleteSchedule(id: string): void {
    this.#changeSchedule(id, undefined);
  }

  #changePromise(entry: Entry, record: StoredPromise): void {
    const before = entry.promise;
    // The rest of a promise is fixed when it is created.
    const { param, tags } = before;
    const value = record.value === before.value ? before.value : copyOf(record.value);
    this.#setPromise(entry, Object.freeze({ ...record, param, tags, value }));
    this.#undo.push(() => this.#setPromise(entry, before));
  }

  #createPromise(record: StoredPromise): void {
    const promise = Object.freeze({
      ...record,
      param: copyOf(record.param),
      value: copyOf(record.value),
      tags: frozen(record.tags),
    });
    const entry: Entry = { seq: this.#nextSeq++, promise, ...NOTHING_ELSE };
    this.#rememberPromise(entry);
    this.#undo.push(() => this.#forgetPromise(entry));
  }

  #rememberPromise(entry: Entry): void {
    const { id } = entry.promise;
    this.promises.set(id, entry);
    this.ids.add(id);
    this.created.add({ seq: entry.seq, id });
    if (startsRun(entry.promise)) this.runs.add({ seq: entry.seq, id });
    for (const [ids, text] of this.#indexesOf(entry.promise)) {
      const index = ids.get(text) ?? new OrderedIndex<string>(byBytes);
      ids.set(text, index);
      index.add(id);
    }
    addDue(this.duePromises, dueOf(entry, entry.promise));
  }

  #forgetPromise(entry: Entry): void {
    const { id } = entry.promise;
    deleteDue(this.duePromises, dueOf(entry, entry.promise));
    for (const [ids, text] of this.#indexesOf(entry.promise)) {
      const index = ids.get(text);
      index?.delete(id);
      if (index?.after().next().done) ids.delete(text);
    }
    this.created.delete({ seq: entry.seq, id });
    this.runs.delete({ seq: entry.seq, id });
    this.ids.delete(id);
    this.promises.delete(id);
  }

  #setPromise(entry: Entry, record: StoredPromise): void {
    deleteDue(this.duePromises, dueOf(entry, entry.promise));
    entry.promise = record;
    addDue(this.duePromises, dueOf(entry, record));
  }

  #setTask(entry: Entry, record: StoredTask | undefined): void {
    deleteDue(this.dueTasks, dueOf(entry, entry.task));
    this.#letGo(entry);
    entry.task = record;
    addDue(this.dueTasks, dueOf(entry, record));
    this.#hold(entry);
    if (record?.state === "suspended" || record?.state === "halted") this.parked.add(entry);
    else this.parked.delete(entry);
  }

  #hold(entry: Entry): void {
    const pid = holderOf(entry);
    if (pid === undefined) return;
    const entries = this.held.get(pid);
    if (entries) entries.add(entry);
    else this.held.set(pid, new Set([entry]));
  }

  #letGo(entry: Entry): void {
    const pid = holderOf(entry);
    if (pid === undefined) return;
    const entries = this.held.get(pid);
    entries?.delete(entry);
    if (entries?.size === 0) this.held.delete(pid);
  }

  #changeListener(
    { awaited, address }: Pick<Listener, "awaited" | "address">,
    record: Listener | undefined,
  ): void {
    const entry = this.entry(awaited);
    const before = entry.listeners?.get(address);
    this.#setListener(entry, address, record);
    this.#undo.push(() => this.#setListener(entry, address, before));
  }

  #setListener(entry: Entry, address: string, record: Listener | undefined): void {
    entry.listeners ??= new Map();
    entry.untold ??= new OrderedIndex(byBytes);
    deleteDue(this.dueListeners, noticeOf(entry, entry.listeners.get(address)));
    entry.untold.delete(address);
    if (record) entry.listeners.set(address, record);
    else entry.listeners.delete(address);
    if (record && record.notifyAt === undefined) entry.untold.add(address);
    addDue(this.dueListeners, noticeOf(entry, record));
  }

  #changeSchedule(id: string, record: ScheduleRecord | undefined): void {
    const before = this.schedules.get(id);
    this.#setSchedule(id, record);
    this.#undo.push(() => this.#setSchedule(id, before));
  }

  #setSchedule(id: string, record: ScheduleRecord | undefined): void {
    const before = this.schedules.get(id);
    if (before) this.dueSchedules.delete(firingOf(before));
    if (record) {
      this.schedules.set(id, record);
      this.scheduleIds.add(id);
      this.dueSchedules.add(firingOf(record));
    } else {
      this.schedules.delete(id);
      this.scheduleIds.delete(id);
    }
  }

  /** The indexes that a promise is in, with the text under which it is there. */
  *#indexesOf({ id, tags }: StoredPromise): Generator<[Map<string, OrderedIndex<string>>, string]> {
    for (const name of INDEXED_TAGS) {
      const text = tags[name];
      if (text !== undefined && text !== id) yield [this.#tagged[name], text];
    }
  }
}

const NOTHING_ELSE = {
  task: undefined,
  callbacks: undefined,
  awaits: undefined,
  listeners: undefined,
  untold: undefined,
  resumes: undefined,
  resumed: undefined,
} as const;

function startsRun({ id, tags }: StoredPromise): boolean {
  return [TAG.origin, TAG.caller].every((name) => (tags[name] ?? id) === id);
}

function wait(waiting: Entry, entry: Entry): void {
  entry.callbacks ??= new OrderedIndex<Entry>(byCreation);
  entry.callbacks.add(waiting);
  waiting.awaits ??= new Set();
  waiting.awaits.add(entry);
}

function unwait(waiting: Entry, entry: Entry): void {
  entry.callbacks?.delete(waiting);
  waiting.awaits?.delete(entry);
}

function link(waiting: Entry, entry: Entry): void {
  waiting.resumes ??= new Set();
  waiting.resumes.add(entry);
  entry.resumed ??= new Set();
  entry.resumed.add(waiting);
}

function unlink(waiting: Entry, entry: Entry): void {
  waiting.resumes?.delete(entry);
  entry.resumed?.delete(waiting);
}

function byInstant(one: DueKey, other: DueKey): number {
  return (
    one.at - other.at ||
    one.seq - other.seq ||
    byBytes(one.id, other.id) ||
    byBytes(one.address, other.address)
  );
}

/** A promise by its place in the order of creation. */
interface Place {
  readonly seq: number;
  readonly id: string;
}

function byCreation(one: { readonly seq: number }, other: { readonly seq: number }): number {
  return one.seq - other.seq;
}

function holderOf({ task }: Entry): string | undefined {
  return task?.state === "acquired" ? task.pid : undefined;
}

function dueOf(entry: Entry, record: StoredPromise | StoredTask | undefined): DueKey | undefined {
  if (record?.dueAt === undefined) return undefined;
  return { at: record.dueAt, seq: entry.seq, id: record.id, address: "" };
}

function noticeOf(entry: Entry, listener: Listener | undefined): DueKey | undefined {
  if (listener?.notifyAt === undefined) return undefined;
  const { awaited, address } = listener;
  return { at: listener.notifyAt, seq: entry.seq, id: awaited, address };
}

function firingOf({ id, nextRunAt }: ScheduleRecord): DueKey {
  return { at: nextRunAt, seq: 0, id, address: "" };
}

function addDue(index: OrderedIndex<DueKey>, key: DueKey | undefined): void {
  if (key) index.add(key);
}

function deleteDue(index: OrderedIndex<DueKey>, key: DueKey | undefined): void {
  if (key) index.delete(key);
}

function copyOf({ headers, data }: Value): Value {
  return Object.freeze({
    ...(headers !== undefined && { headers: frozen(headers) }),
    ...(data !== undefined && { data }),
  });
}

function frozen(texts: Tags): Tags {
  return Object.freeze({ ...texts });
}
