/** What goes wrong between the processes of a lab, by chance that a seed repeats. */
import { type Duration, milliseconds } from "./durations.ts";
import type { Random } from "./random.ts";

/** Each is a probability from 0 (default: never) to 1, for each exchange of requests and each message. */
export interface Faults {
  /** A body of requests, its answers, or a message is lost. Who waits for answers asks again after 10 s. */
  readonly drop?: number;
  /** It is held up, for up to `delayMax`. */
  readonly delay?: number;
  /** The longest delay. Default 2 s. */
  readonly delayMax?: Duration;
  /** It arrives twice; the second time after up to `delayMax`. */
  readonly duplicate?: number;
  /** It is overtaken by what is sent up to 50 ms after it. */
  readonly reorder?: number;
}

/** What happens to one thing that is sent. */
export interface Fate {
  readonly lost: boolean;
  /** In ms. */
  readonly delayMs: number;
  /** When it arrives once more, in ms from its first arrival; absent mostly. */
  readonly againMs: number | undefined;
}

const OVERTAKEN_MS_MAX = 50;
const FINE: Fate = { lost: false, delayMs: 0, againMs: undefined };

/** Decides what happens to each thing that is sent. */
export class Weather {
  readonly #random: Random;
  #faults: Faults | undefined;

  constructor(random: Random, faults: Faults | undefined) {
    this.#random = random;
    this.#faults = faults;
  }

  set(faults: Faults | undefined): void {
    this.#faults = faults;
  }

  fate(): Fate {
    if (!this.#faults) return FINE;
    const { drop = 0, delay = 0, delayMax = 2_000, duplicate = 0, reorder = 0 } = this.#faults;
    const most = milliseconds(delayMax);
    const delayed = this.#happens(delay) ? this.#upTo(most) : 0;
    const overtaken = this.#happens(reorder) ? this.#upTo(OVERTAKEN_MS_MAX) : 0;
    return {
      lost: this.#happens(drop),
      delayMs: delayed + overtaken,
      againMs: this.#happens(duplicate) ? this.#upTo(most) : undefined,
    };
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  #upTo(ms: number): number {
    return Math.ceil(this.#random() * ms);
  }
}
