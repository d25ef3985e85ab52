/** Has it written down that notices were delivered, a little later: nobody waits for it. */
import type { ListenerKey, Step } from "../core/step.ts";

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
  /** What has been delivered and is not written down yet. */
  readonly #unwritten = new Set<string>();

  constructor(options: DeliveredOptions) {
    this.#options = options;
  }

  /** Whether a notice was delivered a moment ago, and need not be again. */
  has(notice: ListenerKey): boolean {
    return this.#unwritten.has(keyOf(notice));
  }

  note(data: ListenerKey): void {
    this.#unwritten.add(keyOf(data));
    this.#noted.push({ kind: "promise.notified", data });
    if (this.#noted.length > 1) return;
    this.#options.after(GATHER_MS, async () => {
      const steps = this.#noted;
      this.#noted = [];
      const keys = [...this.#unwritten];
      await this.#options.insist(steps);
      for (const key of keys) this.#unwritten.delete(key);
    });
  }
}

function keyOf({ awaited, address }: ListenerKey): string {
  return `${awaited}\0${address}`;
}
