/**
 * Tells whether an async function may be told an outcome before it is on record.
 *
 * It may do I/O of its own between two durable calls, and that must not run ahead of the disk. So it is told early
 * only once it has shown, in this call, that it goes from one step straight to the next, and never again after
 * it once did not.
 */
import type { Clock } from "./clock.ts";

/** How often in a row it has to show it. */
const SHOWN_TIMES = 2;

export class Stride {
  readonly #clock: Clock;
  #shown = 0;
  #told = false;
  #broken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It goes from one step straight to the next. */
  get steady(): boolean {
    return !this.#broken && this.#shown >= SHOWN_TIMES;
  }

  /** It is told the outcome of the only thing it waits for. */
  told(): void {
    if (this.#broken) return;
    this.#told = true;
    this.#clock.turn(() => {
      this.#broken ||= this.#told;
    });
  }

  /** It asks for something durable. */
  asked(): void {
    if (!this.#told) return;
    this.#told = false;
    this.#shown += 1;
  }
}
