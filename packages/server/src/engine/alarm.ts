/** When to look for due steps: at the next instant at which something is due, not before. */
import type { Change } from "../core/records.ts";
import type { Clock } from "./clock.ts";

/** Longest that it sleeps, in ms: it looks again then, whatever it was set for. */
const SLEEP_MAX_MS = 3_600_000;

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Makes sure that it rings at the instant `at`, or earlier. */
  wakeAt(at: number | undefined): void {
    if (at === undefined || at >= this.#at || this.#stopped) return;
    this.#cancel();
    this.#at = at;
    const wait = Math.min(Math.max(0, at - this.#clock.now()), SLEEP_MAX_MS);
    this.#cancel = this.#clock.after(wait, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}

/** The instant at which a written record wants attention. */
export function dueAt(change: Change): number | undefined {
  if (!("put" in change)) return undefined;
  switch (change.put) {
    case "promise":
    case "task":
      return change.record.dueAt;
    case "listener":
      return change.record.notifyAt;
    case "schedule":
      return change.record.nextRunAt;
    case "callback":
    case "resume":
      return undefined;
  }
}
