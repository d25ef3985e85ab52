/**
 * The time of a lab, and who moves it.
 *
 * I1. Simulated time moves only when nothing else can, and only while somebody moves it.
 * I2. Those who move it at the same time take turns, so that between two movements all comes to rest.
 */
import { systemClock } from "@resonate-ts/sdk";
import type { Activity } from "./activity.ts";
import type { Calls } from "./calls.ts";
import { type Duration, milliseconds } from "./durations.ts";
import { ProcessClock, SimulatedClock } from "./simulated-clock.ts";
import { stillness } from "./stillness.ts";

export interface LabTimeParts {
  /** The instant at which simulated time begins; absent: the machine's time. */
  readonly startAt: number | undefined;
  readonly activity: Activity;
  readonly calls: Calls;
  /** Says what is waited for, for an error. */
  readonly waiting: () => Promise<string>;
}

export class LabTime {
  readonly #parts: LabTimeParts;
  readonly #clock: SimulatedClock | undefined;
  #moving: Promise<void> = Promise.resolve();

  constructor(parts: LabTimeParts) {
    const { startAt, activity } = parts;
    this.#parts = parts;
    this.#clock = startAt === undefined ? undefined : new SimulatedClock({ startAt, activity });
  }

  get simulated(): boolean {
    return this.#clock !== undefined;
  }

  now(): number {
    return this.#clock?.now() ?? Date.now();
  }

  /** Time for one run of a process. */
  processClock(): ProcessClock {
    const { now, background: after } = systemClock;
    return new ProcessClock(this.#clock ?? { now, after, upkeep: after }, this.#parts.activity);
  }

  after(duration: Duration, callback: () => void): () => void {
    const ms = milliseconds(duration);
    return this.#clock?.after(ms, callback) ?? systemClock.background(ms, callback);
  }

  /** Moves time from one timer to the next while something holds. @throws Error when it still does after `within`. */
  async moveWhile(holds: () => boolean | Promise<boolean>, within: Duration): Promise<void> {
    const last = this.now() + milliseconds(within);
    let open = true;
    while (open) {
      await this.#whenStill(async () => {
        open = await holds();
        if (!open || !this.#clock) return;
        const next = this.#clock.nextAt();
        if (next === undefined || next > last) throw await this.#stuck(within);
        this.#clock.moveTo(next);
      });
    }
  }

  /** Moves time on: from one timer to the next. @throws Error with the machine's time. */
  async advance(duration: Duration): Promise<void> {
    const clock = this.#clock;
    if (!clock) throw new Error("Only simulated time can be moved; this lab has the machine's.");
    const end = clock.now() + milliseconds(duration);
    let open = true;
    while (open) {
      await this.#whenStill(() => {
        const next = clock.nextAt() ?? Number.POSITIVE_INFINITY;
        clock.moveTo(Math.min(next, end));
        open = next <= end;
      });
    }
    await this.idle();
  }

  /** Resolves when nothing can move unless time does. */
  async idle(): Promise<void> {
    let open = true;
    while (open) {
      await this.#whenStill(() => {
        const clock = this.#clock;
        open = clock !== undefined && (clock.nextAt() ?? Number.POSITIVE_INFINITY) <= clock.now();
        if (open) clock?.moveTo(clock.now());
      });
    }
  }

  /** Does `work` when nothing can move, after those who asked before. */
  #whenStill(work: () => void | Promise<void>): Promise<void> {
    const { activity, calls } = this.#parts;
    const done = this.#moving.then(async () => {
      await stillness(activity, calls);
      await work();
    });
    this.#moving = done.catch(() => {});
    return done;
  }

  async #stuck(within: Duration): Promise<Error> {
    const waiting = await this.#parts.waiting();
    return new Error(`What was waited for did not come within ${within}. ${waiting}`);
  }
}
