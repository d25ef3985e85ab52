/** How fast single and batched creations are, how long one takes alone, and at half load. */
import { closedLoop, openLoop } from "./load.ts";
import { creating, creatingMany } from "./requests.ts";
import { Server, type Side } from "./servers.ts";

const BATCH = 64;

export interface Speed {
  /** Operations per second, one per request. */
  readonly single: number;
  /** Operations per second, 64 per request. */
  readonly batched: number;
  /** Median of a request with no other under way, in µs. */
  readonly aloneUs: number;
  /** 99th percentile at half of the rate of `single`, in µs. */
  readonly halfLoadUs: number;
  readonly residentMb: number;
}

export async function measureSpeed(rounds: number, quick: boolean) {
  const measured: Record<Side, Speed[]> = { bare: [], ours: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of ["bare", "ours"] as const) measured[side].push(await measure(side, quick));
  }
  return measured;
}

async function measure(side: Side, quick: boolean): Promise<Speed> {
  const server = await Server.start(side);
  const { url } = server;
  const share = quick ? 0.2 : 1;
  const single = { url, connections: 64, batch: 1, body: creating };
  const batched = { url, connections: 4, batch: BATCH, body: () => creatingMany(BATCH) };
  const alone = { ...single, connections: 1 };
  // Once for the code to be compiled, then for the clock.
  await closedLoop(single, 10_000 * share);
  await closedLoop(batched, 400 * share);
  const { perSecond } = await closedLoop(single, 60_000 * share);
  const many = await closedLoop(batched, 4_000 * share);
  const { times } = await closedLoop(alone, 4_000 * share);
  const half = await openLoop(single, { rate: perSecond / 2, ms: 10_000 * share });
  const { residentMb } = server;
  await server.stop();
  return {
    single: perSecond,
    batched: many.perSecond,
    aloneUs: times.getValueAtPercentile(50),
    halfLoadUs: half.getValueAtPercentile(99),
    residentMb,
  };
}
