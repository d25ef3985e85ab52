/** The server's clock. The engine takes no other clock and sets no other timer. */

/** Longest that one timer of the platform can wait, in ms; it fires at once when asked for more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface Clock {
  /** Milliseconds since the Unix epoch. Never less than before. */
  now(): number;
  /**
   * Calls back once, `ms` from now or, where that is longer than a timer can wait, somewhat earlier. Does not keep the
   * process alive. The returned function cancels it.
   */
  after(ms: number, callback: () => void): () => void;
}

/** Most that the clock waits at its floor, in ms: as far as a store's floor may be ahead of what was handed out. */
const WAIT_MS_MAX = 1_000;

/**
 * Wall time as it was at the start, plus the time elapsed since by a clock that cannot be set. A jump of the
 * wall clock therefore moves nothing backwards and freezes nothing.
 *
 * Never less than `floor` (ms since the epoch, default 0). Where that is a little ahead of the wall clock the clock
 * waits there until the wall clock has come; where it is further ahead (the wall clock was set back while no server
 * ran) time goes on from the floor.
 */
export function steadyClock(floor = 0): Clock {
  const wall = Date.now();
  const start = (floor - wall > WAIT_MS_MAX ? floor : wall) - performance.now();
  let latest = floor;
  return {
    now() {
      latest = Math.max(latest, Math.floor(start + performance.now()));
      return latest;
    },
    after(ms, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MS_MAX)).unref();
      return () => clearTimeout(timer);
    },
  };
}
