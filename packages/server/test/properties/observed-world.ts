/**
 * The store's contents as the micro-steps make them, kept beside the store, with every property of the catalogue
 * checked after each micro-step on what it touched.
 */
import {
  type Entry,
  nothing,
  type ScheduleEntry,
  type Snapshot,
  stateViolations,
  stepViolations,
  type Taken,
  type Violation,
} from "../../src/core/invariants.ts";
import type { Change, Delete, Listener, Outgoing, Put } from "../../src/core/records.ts";
import type { Effects, StepKind } from "../../src/core/step.ts";

/** What a micro-step wrote over. */
interface Before {
  readonly entries: Map<string, Entry | undefined>;
  readonly schedules: Map<string, ScheduleEntry | undefined>;
}

export class ObservedWorld implements Snapshot {
  at = 0;
  /** Micro-steps seen so far. */
  steps = 0;
  readonly #retryTimeoutMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #schedules = new Map<string, ScheduleEntry>();
  #before: Before = { entries: new Map(), schedules: new Map() };

  constructor(retryTimeoutMs: number) {
    this.#retryTimeoutMs = retryTimeoutMs;
  }

  get ids(): Iterable<string> {
    return this.#entries.keys();
  }

  get scheduleIds(): Iterable<string> {
    return this.#schedules.keys();
  }

  entry(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  schedule(id: string): ScheduleEntry | undefined {
    return this.#schedules.get(id);
  }

  /**
   * Takes over one micro-step of the server and returns what it broke. The server sends an offer in the very step in
   * which a task becomes pending; the catalogue has two for that, one that arms the retry and one that sends.
   */
  take(kind: StepKind, at: number, { changes = [], messages = [] }: Effects): Violation[] {
    const entered = new Set(
      messages.flatMap((message) =>
        message.kind === "execute" && this.entry(message.task.id)?.task?.state !== "pending"
          ? [message.task.id]
          : [],
      ),
    );
    if (entered.size === 0) return this.#step(kind, at, changes, messages);
    const arming = changes.map((change) =>
      "put" in change && change.put === "task" && entered.has(change.record.id)
        ? { ...change, record: { ...change.record, dueAt: at } }
        : change,
    );
    const sending = changes.filter(
      (change) => "put" in change && change.put === "task" && entered.has(change.record.id),
    );
    const isOffer = (message: Outgoing) => message.kind === "execute";
    return [
      ...this.#step(
        kind,
        at,
        arming,
        messages.filter((message) => !isOffer(message)),
      ),
      ...this.#step("task.offer", at, sending, messages.filter(isOffer)),
    ];
  }

  #step(
    kind: StepKind,
    at: number,
    changes: readonly Change[],
    sent: readonly Outgoing[],
  ): Violation[] {
    this.steps++;
    const atBefore = this.at;
    this.#before = { entries: new Map(), schedules: new Map() };
    this.at = at;
    for (const change of changes) this.#apply(change, sent);
    for (const message of sent) this.#queue(message);
    const { entries, schedules } = this.#before;
    const touched = { ids: entries.keys().toArray(), scheduleIds: schedules.keys().toArray() };
    const step: Taken = { kind, sent, retryTimeoutMs: this.#retryTimeoutMs };
    return [
      ...stepViolations(this.#asBefore(atBefore), this, step, touched),
      ...stateViolations(this, touched),
    ];
  }

  /** This world before the last micro-step. */
  #asBefore(at: number): Snapshot {
    const { entries, schedules } = this.#before;
    return {
      at,
      ids: this.ids,
      scheduleIds: this.scheduleIds,
      entry: (id) => (entries.has(id) ? entries.get(id) : this.entry(id)),
      schedule: (id) => (schedules.has(id) ? schedules.get(id) : this.schedule(id)),
    };
  }

  #apply(change: Change, sent: readonly Outgoing[]): void {
    if ("put" in change) this.#put(change, sent);
    else this.#delete(change);
  }

  #put(change: Put, sent: readonly Outgoing[]): void {
    switch (change.put) {
      case "promise":
        this.#edit(change.record.id, ({ copies }) => ({
          promise: change.record,
          copies: { ...copies, promises: 1 },
        }));
        return;
      case "task":
        this.#edit(change.record.id, ({ copies }) => ({
          task: change.record,
          copies: { ...copies, tasks: 1 },
        }));
        return;
      case "callback": {
        const { awaited, awaiter } = change.record;
        this.#edit(awaited, ({ callbacks }) => ({ callbacks: plus(callbacks, awaiter) }));
        this.#edit(awaiter, ({ awaits }) => ({ awaits: plus(awaits, awaited) }));
        return;
      }
      case "resume": {
        const { awaited, awaiter } = change.record;
        this.#edit(awaiter, ({ resumedBy }) => ({ resumedBy: plus(resumedBy, awaited) }));
        return;
      }
      case "listener":
        this.#putListener(change.record, sent);
        return;
      case "schedule":
        this.#editSchedule(change.record.id, { record: change.record, copies: 1 });
        return;
    }
  }

  #delete(change: Delete): void {
    switch (change.delete) {
      case "callback": {
        const { awaited, awaiter } = change.record;
        this.#edit(awaited, ({ callbacks }) => ({ callbacks: minus(callbacks, awaiter) }));
        this.#edit(awaiter, ({ awaits }) => ({ awaits: minus(awaits, awaited) }));
        return;
      }
      case "resumes":
        this.#edit(change.awaiter, () => ({ resumedBy: [] }));
        return;
      case "listener": {
        const { awaited, address } = change.record;
        this.#edit(awaited, ({ listeners, unblocks }) => ({
          listeners: minus(listeners, address),
          unblocks: unblocks.filter((unblock) => unblock.address !== address),
        }));
        return;
      }
      case "schedule":
        this.#editSchedule(change.id, undefined);
        return;
    }
  }

  /** A listener that has been told is a queued notice. */
  #putListener({ awaited, address, notifyAt }: Listener, sent: readonly Outgoing[]): void {
    const message = sent.find(
      (one) => one.kind === "unblock" && one.address === address && one.promise.id === awaited,
    );
    const notice = {
      address,
      ...(message?.kind === "unblock" && { promise: message.promise }),
    };
    this.#edit(awaited, ({ listeners, unblocks }) => {
      const others = unblocks.filter((unblock) => unblock.address !== address);
      return notifyAt === undefined
        ? { listeners: plus(listeners, address), unblocks: others }
        : { listeners: minus(listeners, address), unblocks: [...others, notice] };
    });
  }

  /** An offer replaces the one before it. */
  #queue(message: Outgoing): void {
    if (message.kind !== "execute") return;
    const { task, address } = message;
    this.#edit(task.id, () => ({ executes: [{ address, version: task.version }] }));
  }

  #edit(id: string, change: (entry: Entry) => Partial<Entry>): void {
    const entry = this.#entries.get(id);
    const { entries } = this.#before;
    if (!entries.has(id)) entries.set(id, entry);
    const known = entry ?? nothing(id);
    this.#entries.set(id, { ...known, ...change(known) });
  }

  #editSchedule(id: string, schedule: ScheduleEntry | undefined): void {
    const { schedules } = this.#before;
    if (!schedules.has(id)) schedules.set(id, this.#schedules.get(id));
    if (schedule) this.#schedules.set(id, schedule);
    else this.#schedules.delete(id);
  }
}

function plus(list: readonly string[], one: string): readonly string[] {
  return list.includes(one) ? list : [...list, one];
}

function minus(list: readonly string[], one: string): readonly string[] {
  return list.filter((other) => other !== one);
}
