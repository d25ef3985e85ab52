/** Waiting between attempts. */
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../worker/system-clock.ts";

export interface Backoff {
  /** First wait, in ms. */
  readonly firstMs: number;
  /** Longest wait, in ms. */
  readonly mostMs: number;
}

/**
 * The wait after `failures` (from 1) failures in a row: doubling, and somewhere between half of it and all of
 * it, so that processes that lost the same server do not come back at the same instant.
 */
export function backoffMs(
  { firstMs, mostMs }: Backoff,
  failures: number,
  random: () => number = Math.random,
): number {
  const most = Math.min(firstMs * 2 ** (failures - 1), mostMs);
  return most * (0.5 + random() / 2);
}

/** Resolves after `ms`, or as soon as `signal` aborts. Keeps the process alive meanwhile. */
export function pause(
  ms: number,
  signal: AbortSignal,
  clock: Pick<Clock, "after"> = systemClock,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
