/** Workflows that begin at a steady rate, however long those before them take. */
import { setTimeout as wait } from "node:timers/promises";
import type { Resonate } from "@resonate-ts/sdk";
import { expected, GROUP } from "./program.ts";

const TICK_MS = 100;
/** Most under way; at more the system does not keep up, and the rest is not begun. */
const OPEN_MAX = 5_000;
/** In which the last must end, in ms: what takes longer is stuck, or the rate was more than the machine can do. */
const LAST_MS = 120_000;

export class Load {
  /** Workflows that ended. */
  ended = 0;
  /** Of those, the ones with another result than theirs, or an error. */
  wrong = 0;
  /** Begun and not ended. */
  open = 0;
  readonly #client: Resonate;
  readonly #rate: number;
  readonly #all = new Set<Promise<void>>();
  #tookMs: number[] = [];
  #begun = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `rate`: per second. */
  constructor(client: Resonate, rate: number) {
    this.#client = client;
    this.#rate = rate;
  }

  start(): void {
    const startedAt = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedAt) / 1_000) * this.#rate;
      for (; this.#begun < due; this.#begun++) if (this.open < OPEN_MAX) this.#begin(this.#begun);
    }, TICK_MS);
  }

  /** Begins no more, and waits for those that were begun, for some minutes at most. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([Promise.all(this.#all), wait(LAST_MS, undefined, { ref: false })]);
  }

  /** How long those took, in ms, that ended since the last call; in order of length. */
  taken(): readonly number[] {
    const taken = this.#tookMs.sort((one, other) => one - other);
    this.#tookMs = [];
    return taken;
  }

  #begin(n: number): void {
    this.open++;
    const run = this.#run(n);
    this.#all.add(run);
    void run.finally(() => {
      this.open--;
      this.ended++;
      this.#all.delete(run);
    });
  }

  async #run(n: number): Promise<void> {
    const begunAt = performance.now();
    const options = this.#client.options({ target: GROUP });
    try {
      const result = await this.#client.rpc<number>(`soak-${n}`, "soak", n, options);
      if (result !== expected(n)) this.wrong++;
      this.#tookMs.push(performance.now() - begunAt);
    } catch {
      this.wrong++;
    }
  }
}
