/** What is asked of a server: so many requests at a time, or so many a second. */
import { setTimeout as sleep } from "node:timers/promises";
import { build, type Histogram } from "hdr-histogram-js";
import { Pool } from "undici";

const HEADERS = { "Content-Type": "application/json" };
/** An answer later than this is counted as that late, in µs. */
const LATE_US_MAX = 10_000_000;

export interface Load {
  readonly url: string;
  readonly connections: number;
  /** Operations in each request. */
  readonly batch: number;
  /** Makes the text of a request; told how many came before it. */
  readonly body: (request: number) => string;
}

/** Keeps every connection busy with `requests` in all. Gives operations per second, and the times in µs. */
export async function closedLoop(load: Load, requests: number) {
  const pool = new Pool(load.url, { connections: load.connections, pipelining: 1 });
  const times = histogram();
  let next = 0;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (next < requests) {
        const sent = performance.now();
        await ask(pool, load.body(next++));
        times.recordValue(microseconds(performance.now() - sent));
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1_000;
  await pool.close();
  return { perSecond: (requests * load.batch) / seconds, times };
}

/** Sends `rate` requests a second for `ms`, however long the answers take. Gives the times from when each was due. */
export async function openLoop(load: Load, { rate, ms }: { rate: number; ms: number }) {
  const pool = new Pool(load.url, { connections: load.connections, pipelining: 1 });
  const times = histogram();
  const begun = performance.now();
  const under: Promise<void>[] = [];
  for (let sent = 0; ; ) {
    const now = performance.now() - begun;
    for (; sent < (Math.min(now, ms) / 1_000) * rate; sent++) {
      const due = begun + (sent / rate) * 1_000;
      const answered = () => times.recordValue(microseconds(performance.now() - due));
      under.push(ask(pool, load.body(sent)).then(answered));
    }
    if (now >= ms) break;
    await sleep(1);
  }
  await Promise.all(under);
  await pool.close();
  return times;
}

async function ask(pool: Pool, body: string): Promise<void> {
  const { statusCode, body: answer } = await pool.request({
    method: "POST",
    path: "/",
    headers: HEADERS,
    body,
  });
  const text = await answer.text();
  if (statusCode !== 200) throw new Error(`answered ${statusCode}: ${text}`);
}

function histogram(): Histogram {
  return build({ highestTrackableValue: LATE_US_MAX, numberOfSignificantValueDigits: 3 });
}

function microseconds(ms: number): number {
  return Math.min(Math.max(1, Math.round(ms * 1_000)), LATE_US_MAX);
}
