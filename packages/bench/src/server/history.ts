/** Whether what has settled makes what comes slower: the rate with few and with many settled promises. */
import { closedLoop } from "./load.ts";
import { settlingMany } from "./requests.ts";
import { Server, type Side } from "./servers.ts";

/** Promises per request; each is created and settled. */
const BATCH = 64;
/** How many requests are measured at each end. */
const REQUESTS = 500;

export interface Slope {
  /** Promises created and settled per second, with few stored. */
  readonly before: number;
  /** With many. */
  readonly after: number;
}

export async function measureHistory(range: { from: number; to: number }) {
  // Both run at once in turns, so that a machine that drifts drifts for both.
  const [bare, ours] = await Promise.all([Server.start("bare"), Server.start("ours")]);
  const servers: Record<Side, Server> = { bare, ours };
  const rates: Record<Side, number[]> = { bare: [], ours: [] };
  for (const stored of [range.from, range.to]) {
    for (const side of ["bare", "ours"] as const) {
      const { url } = servers[side];
      const load = { url, connections: 4, batch: BATCH, body: () => settlingMany(BATCH) };
      const begun = stored === range.from ? 0 : range.from + REQUESTS * BATCH;
      await closedLoop(load, Math.ceil((stored - begun) / BATCH));
      rates[side].push((await closedLoop(load, REQUESTS)).perSecond);
    }
  }
  await Promise.all([bare.stop(), ours.stop()]);
  const slope = ([before = 0, after = 0]: readonly number[]): Slope => ({ before, after });
  return { bare: slope(rates.bare), ours: slope(rates.ours) };
}
