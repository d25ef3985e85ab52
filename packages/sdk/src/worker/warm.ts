/** Executions that are parked and still in memory, bounded by count and by bytes; the least recently parked go first. */

import type { PromiseRecord } from "@resonate-ts/protocol";
import type { Execution } from "../core/execution.ts";
import { ResonateError } from "../errors.ts";
import type { Claimed } from "./claims.ts";

/** Most bytes that they hold together, as far as it can be told: a part of what a process has by default. */
const BYTES_MAX = 256 * 1_024 * 1_024;

export interface Warm {
  readonly execution: Execution;
  /** The version of the claim under which it parked. */
  readonly version: number;
  /** The task's own promise. */
  readonly promise: Pick<PromiseRecord, "createdAt">;
}

export class WarmExecutions {
  readonly #max: number;
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Warm & { readonly bytes: number }>();
  #bytes = 0;

  constructor(max: number, bytesMax = BYTES_MAX) {
    this.#max = max;
    this.#bytesMax = bytesMax;
  }

  put(warm: Warm): void {
    this.take(warm.execution.id);
    const { bytes } = warm.execution;
    this.#entries.set(warm.execution.id, { ...warm, bytes });
    this.#bytes += bytes;
    for (const [id, oldest] of this.#entries) {
      if (this.#entries.size <= this.#max && this.#bytes <= this.#bytesMax) return;
      this.take(id);
      forget(oldest);
    }
  }

  /** Takes one out. */
  take(id: string): Warm | undefined {
    const warm = this.#entries.get(id);
    this.#entries.delete(id);
    this.#bytes -= warm?.bytes ?? 0;
    return warm;
  }

  clear(): void {
    for (const warm of this.#entries.values()) forget(warm);
    this.#entries.clear();
    this.#bytes = 0;
  }
}

/** Whether a claim is the one right after that under which an execution was parked. */
export function follows({ task, promise }: Claimed, warm: Warm): boolean {
  return task.version === warm.version + 1 && promise.createdAt === warm.promise.createdAt;
}

/** It replays from its record if it is wanted again. */
export function forget({ execution }: Warm): void {
  execution.drop(
    new ResonateError("STOPPED", `'${execution.id}' is parked and was dropped from memory.`),
  );
}
