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

/** A clock that follows one that others follow too. */
export interface SharedClock extends Clock {
  /** The shared clock said `instant` (ms since the epoch), a moment ago. Gives the instant that holds now. */
  heard(instant: number): number;
}

/** How long what was heard is good for, in ms: by then two clocks may be apart by a part of a millisecond. */
const HEARD_MS = 10_000;

/**
 * A clock that starts at `instant`, as the shared clock said, and follows it: never ahead of it by more than clocks run
 * apart in some seconds, and never back. Where the shared clock jumps by more than a second this one goes on as it
 * was, and `jumped` is called, once, with how far, in ms.
 */
export function sharedClock(
  { instant, floor }: { readonly instant: number; readonly floor: number },
  jumped: (ms: number) => void,
): SharedClock {
  const start = floor - instant > WAIT_MS_MAX ? floor : instant;
  // What was heard is an instant of the past: the latest of them is nearest to the truth.
  let offset = start - performance.now();
  let next = { offset: Number.NEGATIVE_INFINITY, until: performance.now() + HEARD_MS };
  let latest = floor;
  let told = start !== instant;
  const now = () => {
    latest = Math.max(latest, Math.floor(offset + performance.now()));
    return latest;
  };
  return {
    ...steadyClock(),
    now,
    heard(heard) {
      const elapsed = performance.now();
      const seen = heard - elapsed;
      const ahead = seen - offset;
      if (Math.abs(ahead) > WAIT_MS_MAX) {
        // An answer may come late; the clock that it tells does not.
        if (!told && ahead > 0) jumped(ahead);
        told ||= ahead > 0;
        return now();
      }
      offset = Math.max(offset, seen);
      next.offset = Math.max(next.offset, seen);
      if (elapsed > next.until) {
        offset = next.offset;
        next = { offset: Number.NEGATIVE_INFINITY, until: elapsed + HEARD_MS };
      }
      latest = Math.max(latest, heard);
      return now();
    },
  };
}
