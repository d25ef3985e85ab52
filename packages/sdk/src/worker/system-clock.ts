/** The clock and the timers of the process. */
import type { Clock } from "../core/clock.ts";

/** Longest wait that one timer of the platform takes, in ms; it fires at once when asked for more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock and the timers of the machine; what a client uses unless it is given another clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
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
