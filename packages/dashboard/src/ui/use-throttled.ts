import { useEffect, useRef } from "react";

/** Calls `act` when `signal` changes (not at first), at most once in `everyMs`, and once more for what came meanwhile. */
export function useThrottled(signal: unknown, everyMs: number, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  const seen = useRef(signal);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lastAt = useRef(Number.NEGATIVE_INFINITY);

  useEffect(() => {
    if (Object.is(seen.current, signal)) return;
    seen.current = signal;
    if (timer.current !== undefined) return;
    const waitMs = Math.max(0, lastAt.current + everyMs - performance.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      lastAt.current = performance.now();
      latest.current();
    }, waitMs);
  }, [signal, everyMs]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}
