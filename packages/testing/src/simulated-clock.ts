/**
 * Time that stands still until it is moved.
 *
 * I0. It counts in whole milliseconds.
 * I1. No timer fires before its time, and timers fire in the order of their times, those of one instant in the
 *     order in which they were set.
 * I2. Upkeep (a sweep each second, a question each minute) is done less and less often while nothing happens, down
 *     to once an hour, and at its own pace again as soon as anything does. So a month of waiting takes a thousand
 *     steps, not millions.
 */
import type { Clock } from "@resonate-ts/sdk";
import type { Activity } from "./activity.ts";

/** How many uneventful instants in a row come before upkeep is done less often. */
const UNEVENTFUL_MIN = 4;
/** Upkeep is never further apart than this, in ms. */
const UPKEEP_MS_MAX = 3_600_000;

interface Timer {
  at: number;
  /** Orders timers of one instant. */
  readonly seq: number;
  readonly setAt: number;
  readonly ms: number;
  readonly fire: () => void;
  cancelled: boolean;
}

export class SimulatedClock {
  readonly #activity: Activity;
  #now: number;
  #seq = 0;
  /** In the order in which they fire. */
  #timers: Timer[] = [];
  /** Timers that were set further away than asked for. */
  #stretched = new Set<Timer>();
  #uneventful = 0;
  #eventsAtFire = 0;

  constructor(parts: { readonly startAt: number; readonly activity: Activity }) {
    this.#now = parts.startAt;
    this.#activity = parts.activity;
    parts.activity.onEvent = () => this.#restorePace();
  }

  now(): number {
    return this.#now;
  }

  /** Calls back `ms` from now, to the millisecond. The returned function cancels it. */
  after(ms: number, fire: () => void): () => void {
    return this.#set(this.#now + Math.ceil(Math.max(0, ms)), ms, fire);
  }

  /** As `after`, but later while nothing happens. */
  upkeep(ms: number, fire: () => void): () => void {
    const times = 2 ** Math.max(0, this.#uneventful - UNEVENTFUL_MIN);
    const stretchedMs = Math.max(ms, Math.min(ms * times, UPKEEP_MS_MAX));
    return this.#set(this.#now + Math.ceil(stretchedMs), ms, fire);
  }

  /** When the next timer fires; `undefined` when there is none. */
  nextAt(): number | undefined {
    return this.#timers[0]?.at;
  }

  /** Moves time to `at` and fires all that is due then. */
  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
    const count = this.#firstAfter(this.#now);
    if (count === 0) return;
    const due = this.#timers.splice(0, count);
    this.#uneventful =
      this.#activity.events === this.#eventsAtFire ? Math.min(this.#uneventful + 1, 64) : 0;
    this.#eventsAtFire = this.#activity.events;
    for (const timer of due) {
      this.#stretched.delete(timer);
      if (timer.cancelled) continue;
      this.#activity.happened();
      timer.cancelled = true;
      timer.fire();
    }
  }

  #set(at: number, ms: number, fire: () => void): () => void {
    this.#activity.happened();
    const timer: Timer = {
      at,
      seq: this.#seq++,
      setAt: this.#now,
      ms,
      fire,
      cancelled: false,
    };
    this.#insert(timer);
    if (at > this.#now + Math.ceil(ms)) this.#stretched.add(timer);
    return () => this.#cancel(timer);
  }

  #cancel(timer: Timer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#stretched.delete(timer);
    this.#remove(timer);
  }

  #insert(timer: Timer): void {
    this.#timers.splice(this.#firstAfter(timer.at, timer.seq), 0, timer);
  }

  #remove(timer: Timer): void {
    const index = this.#firstAfter(timer.at, timer.seq) - 1;
    if (this.#timers[index] === timer) this.#timers.splice(index, 1);
  }

  /** Index of the first timer behind the place of an instant. */
  #firstAfter(at: number, seq = Number.POSITIVE_INFINITY): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const timer = this.#timers[middle];
      if (timer && (timer.at < at || (timer.at === at && timer.seq <= seq))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #restorePace(): void {
    this.#uneventful = 0;
    for (const timer of this.#stretched) {
      this.#remove(timer);
      timer.at = Math.max(this.#now, timer.setAt + Math.ceil(timer.ms));
      this.#insert(timer);
    }
    this.#stretched.clear();
  }
}

/** Where a process takes its time from. */
export interface TimeSource {
  now(): number;
  after(ms: number, fire: () => void): () => void;
  upkeep(ms: number, fire: () => void): () => void;
}

/** Time as one process has it: when the process is killed, its timers die with it. */
export class ProcessClock implements Clock {
  readonly #clock: TimeSource;
  readonly #activity: Activity;
  readonly #timers = new Set<() => void>();
  #dead = false;

  constructor(clock: TimeSource, activity: Activity) {
    this.#clock = clock;
    this.#activity = activity;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, callback: () => void): () => void {
    return this.#keep(callback, (fire) => this.#clock.after(ms, fire));
  }

  upkeep(ms: number, callback: () => void): () => void {
    return this.#keep(callback, (fire) => this.#clock.upkeep(ms, fire));
  }

  background(ms: number, callback: () => void): () => void {
    return this.after(ms, callback);
  }

  turn(callback: () => void): void {
    this.#activity.begin();
    setImmediate(() => {
      this.#activity.end();
      if (!this.#dead) callback();
    });
  }

  kill(): void {
    this.#dead = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #keep(callback: () => void, set: (fire: () => void) => () => void): () => void {
    if (this.#dead) return () => {};
    const cancel = set(() => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }
}
