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
  /**
   * As `after`, for what is looked at again and again whether anything happened or not. A simulated clock may do it less
   * often while nothing happens. Default `after`.
   */
  upkeep?(ms: number, callback: () => void): () => void;
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
    after(ms, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MS_MAX)).unref();
      return () => clearTimeout(timer);
    },
  };
}
