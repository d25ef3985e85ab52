/** Has it written down that notices were delivered, a little later: nobody waits for it. */
import type { Step } from "../core/step.ts";

/** How long notes are gathered, in ms, to share a commit. */
const GATHER_MS = 50;

interface DeliveredOptions {
  /** Does `work` after so many ms, unless the engine has ended. */
  readonly after: (ms: number, work: () => Promise<void>) => void;
  /** Takes steps, again after a while where the store could not. */
  readonly insist: (steps: readonly Step[]) => Promise<void>;
}

export class Delivered {
  readonly #options: DeliveredOptions;
  #noted: Step[] = [];

  constructor(options: DeliveredOptions) {
    this.#options = options;
  }

  note(data: { readonly awaited: string; readonly address: string }): void {
    this.#noted.push({ kind: "promise.notified", data });
    if (this.#noted.length > 1) return;
    this.#options.after(GATHER_MS, async () => {
      const steps = this.#noted;
      this.#noted = [];
      await this.#options.insist(steps);
    });
  }
}
