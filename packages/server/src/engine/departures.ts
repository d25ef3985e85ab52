/**
 * Processes whose connection to a group has closed, and how long they may take to come back before what they hold of
 * that group is offered to others. Names of processes are free text: what one group knows of a name is nothing to another.
 *
 * A claim can be committed after its process has gone (it was on its way), so those who have left are remembered,
 * and such a claim gets the same grace.
 */
import type { Place } from "../stores/store.ts";
import type { Clock } from "./clock.ts";

/** Most processes remembered; of those that left longer ago a late claim keeps its lease. */
const REMEMBERED_MAX = 10_000;

interface Departed extends Place {
  readonly graceMs: number;
  readonly incarnation?: string | undefined;
  /** Ends the wait; absent once the grace is over. */
  cancel: (() => void) | undefined;
}

export class Departures {
  /** By place, those that left longest ago first. */
  readonly #departed = new Map<string, Departed>();
  readonly #ofProcess = new Map<string, Set<Departed>>();
  readonly #clock: Clock;
  readonly #release: (place: Place) => void;

  /** `release` is called when a grace is over and the process has not come back to the group. */
  constructor(clock: Clock, release: (place: Place) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  left({ group, id, graceMs, incarnation }: Omit<Departed, "cancel">): void {
    this.back({ group, id });
    const departed: Departed = { group, id, graceMs, incarnation, cancel: undefined };
    this.#departed.set(keyOf(departed), departed);
    this.#ofProcess.set(id, (this.#ofProcess.get(id) ?? new Set()).add(departed));
    this.#wait(departed);
    if (this.#departed.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#departed.values()) {
      // Its grace is over, or another one has to be forgotten.
      if (oldest.cancel) continue;
      this.#forget(oldest);
      return;
    }
  }

  back(place: Place): void {
    const departed = this.#departed.get(keyOf(place));
    if (!departed) return;
    departed.cancel?.();
    this.#forget(departed);
  }

  incarnationOf(place: Place): string | undefined {
    return this.#departed.get(keyOf(place))?.incarnation;
  }

  /** A claim of this process has been committed. */
  claimed(pid: string | undefined): void {
    const left = pid === undefined ? undefined : this.#ofProcess.get(pid);
    for (const departed of left ?? []) if (!departed.cancel) this.#wait(departed);
  }

  stop(): void {
    for (const { cancel } of this.#departed.values()) cancel?.();
    this.#departed.clear();
    this.#ofProcess.clear();
  }

  #forget(departed: Departed): void {
    this.#departed.delete(keyOf(departed));
    const left = this.#ofProcess.get(departed.id);
    left?.delete(departed);
    if (left?.size === 0) this.#ofProcess.delete(departed.id);
  }

  #wait(departed: Departed): void {
    departed.cancel = this.#clock.after(departed.graceMs, () => {
      departed.cancel = undefined;
      this.#release(departed);
    });
  }
}

function keyOf({ group, id }: Place): string {
  return `${group}\0${id}`;
}
