import { useEffect, useState } from "react";
import { serverNow } from "../api/clock.ts";

/** The server's time, kept up to date for as long as it is asked for. */
export function useNow(everyMs: number, active = true): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (!active) return;
    setNow(serverNow());
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, active]);
  return now;
}
