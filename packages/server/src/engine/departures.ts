/**
 * Processes whose connection has closed, and how long they may take to come back before what they hold is
 * offered to others.
 *
 * A claim can be committed after its process has gone (it was on its way), so those who have left are remembered,
 * and such a claim gets the same grace.
 */
import type { Clock } from "./clock.ts";

/** Most processes remembered; of those that left longer ago a late claim keeps its lease. */
const REMEMBERED_MAX = 10_000;

interface Departed {
  readonly graceMs: number;
  readonly incarnation?: string | undefined;
  /** Ends the wait; absent once the grace is over. */
  cancel: (() => void) | undefined;
}

export class Departures {
  readonly #departed = new Map<string, Departed>();
  readonly #clock: Clock;
  readonly #release: (pid: string) => void;

  /** `release` is called when a grace is over and the process has not come back. */
  constructor(clock: Clock, release: (pid: string) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  left(pid: string, { graceMs, incarnation }: Omit<Departed, "cancel">): void {
    this.back(pid);
    const departed: Departed = { graceMs, incarnation, cancel: undefined };
    this.#departed.set(pid, departed);
    this.#wait(pid, departed);
    if (this.#departed.size <= REMEMBERED_MAX) return;
    for (const [oldest, { cancel }] of this.#departed) {
      // Its grace is over, or another one has to be forgotten.
      if (cancel) continue;
      this.#departed.delete(oldest);
      return;
    }
  }

  back(pid: string): void {
    this.#departed.get(pid)?.cancel?.();
    this.#departed.delete(pid);
  }

  incarnationOf(pid: string): string | undefined {
    return this.#departed.get(pid)?.incarnation;
  }

  /** A claim of this process has been committed. */
  claimed(pid: string | undefined): void {
    const departed = pid === undefined ? undefined : this.#departed.get(pid);
    if (pid !== undefined && departed && !departed.cancel) this.#wait(pid, departed);
  }

  stop(): void {
    for (const { cancel } of this.#departed.values()) cancel?.();
    this.#departed.clear();
  }

  #wait(pid: string, departed: Departed): void {
    departed.cancel = this.#clock.after(departed.graceMs, () => {
      departed.cancel = undefined;
      this.#release(pid);
    });
  }
}
