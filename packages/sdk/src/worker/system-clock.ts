/** The clock and the timers of the process. */
import type { Clock } from "../core/clock.ts";

/** Longest wait that one timer of the platform takes, in ms; it fires at once when asked for more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The wall clock as it was when this was loaded: from then on time only elapses, whatever that clock is set to. */
const START_MS = Date.now() - performance.now();

/**
 * The time and the timers of the machine; what a client uses unless it is given another clock. Its time is the wall
 * clock's at the start of the process and what has elapsed since, so a clock that is set moves no deadline.
 */
export const systemClock: Clock = {
  now: () => Math.floor(START_MS + performance.now()),
  after: (ms, callback) => wait(ms, callback, true),
  background: (ms, callback) => wait(ms, callback, false),
  turn: (callback) => void setImmediate(callback),
};

function wait(ms: number, callback: () => void, keepAlive: boolean): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number) => {
    const next = left > TIMER_MS_MAX ? () => arm(left - TIMER_MS_MAX) : callback;
    timer = setTimeout(next, Math.min(left, TIMER_MS_MAX));
    if (!keepAlive) timer.unref();
  };
  arm(ms);
  return () => clearTimeout(timer);
}
