/** The server's clock. */

export interface Clock {
  /** Milliseconds since the Unix epoch. Never less than before. */
  now(): number;
}

/**
 * Wall time as it was at the start, plus the time elapsed since by a clock that cannot be set. A jump of the
 * wall clock therefore moves nothing backwards and freezes nothing.
 */
export function steadyClock(): Clock {
  const start = Date.now() - performance.now();
  let latest = 0;
  return {
    now() {
      latest = Math.max(latest, Math.floor(start + performance.now()));
      return latest;
    },
  };
}
