/** Waiting between attempts. */

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
export function backoffMs({ firstMs, mostMs }: Backoff, failures: number): number {
  const most = Math.min(firstMs * 2 ** (failures - 1), mostMs);
  return most * (0.5 + Math.random() / 2);
}

/** Resolves after `ms`, or as soon as `signal` aborts. Keeps the process alive meanwhile. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
