import { setTimeout } from "node:timers/promises";

/** What one channel can take. */
export interface Limits {
  /** Requests under way at once. */
  readonly atOnce: number;
  /** Requests that begin in a second, evenly spread; absent: any number. */
  readonly perSecond?: number;
}

export interface Time {
  /** In ms. */
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
}

const REAL_TIME: Time = {
  now: () => performance.now(),
  wait: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** Lets requests of one channel through, as many and as fast as its provider takes them from this process. */
export class Gate {
  readonly #limits: Limits;
  readonly #time: Time;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #next = 0;

  constructor(limits: Limits, time = REAL_TIME) {
    this.#limits = limits;
    this.#time = time;
  }

  /** Does `work` when it is its turn. Rejects with the reason of `signal` when that fires before. */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter();
    try {
      signal.throwIfAborted();
      await this.#keepPace(signal);
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#inside < this.#limits.atOnce) this.#inside += 1;
    // Whoever leaves hands its place over.
    else await new Promise<void>((enter) => this.#waiting.push(enter));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#inside -= 1;
  }

  async #keepPace(signal: AbortSignal): Promise<void> {
    const { perSecond } = this.#limits;
    if (perSecond === undefined) return;
    const now = this.#time.now();
    const at = Math.max(now, this.#next);
    this.#next = at + 1_000 / perSecond;
    if (at > now) await this.#time.wait(at - now, signal);
  }
}
