/** How much memory a process takes that is a server and nothing else. */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Bytes of the young generation from which on it does not grow: it may be twice that by then. */
const YOUNG_MAX = 8 * 1_048_576;
/** How much may come to what is alive before it is looked at whole, in percent. V8 takes up to 300. */
const GROWTH_PERCENT = 100;

/**
 * Keeps this process small, for as long as it runs: what a server makes for a request is garbage as soon as it is
 * answered, and V8 lets 200 MB of it lie on a machine that has room. Takes hardly any processor time. For processes
 * whose only purpose is a server; others give V8 their own flags (`node --max-semi-space-size=8`).
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  // The flag for the size itself counts at the start of a process only, and that is over. V8 shrinks what is not used,
  // so growing must be allowed again.
  const bound = () => {
    setFlagsFromString(`--semi-space-growth-factor=${youngBytes() < YOUNG_MAX ? 2 : 1}`);
  };
  new PerformanceObserver(bound).observe({ entryTypes: ["gc"] });
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return young?.space_size ?? 0;
}
