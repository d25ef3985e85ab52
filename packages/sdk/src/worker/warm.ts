/** Executions that are parked and still in memory; the least recently parked go first. */

import type { Execution } from "../core/execution.ts";
import { ResonateError } from "../errors.ts";

export interface Warm {
  readonly execution: Execution;
  /** The version of the claim under which it parked. */
  readonly version: number;
}

export class WarmExecutions {
  readonly #max: number;
  readonly #entries = new Map<string, Warm>();

  constructor(max: number) {
    this.#max = max;
  }

  put(warm: Warm): void {
    this.#entries.delete(warm.execution.id);
    this.#entries.set(warm.execution.id, warm);
    for (const [id, oldest] of this.#entries) {
      if (this.#entries.size <= this.#max) return;
      this.#entries.delete(id);
      forget(oldest);
    }
  }

  /** Takes one out. */
  take(id: string): Warm | undefined {
    const warm = this.#entries.get(id);
    this.#entries.delete(id);
    return warm;
  }

  clear(): void {
    for (const warm of this.#entries.values()) forget(warm);
    this.#entries.clear();
  }
}

/** It replays from its record if it is wanted again. */
export function forget({ execution }: Warm): void {
  execution.drop(
    new ResonateError("STOPPED", `'${execution.id}' is parked and was dropped from memory.`),
  );
}
