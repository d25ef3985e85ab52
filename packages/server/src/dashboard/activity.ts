/** What happened in each of the last seconds: requests, commits, promises. */
import type { ActivityPoint } from "@resonate-ts/protocol";
import type { Committed } from "../engine/engine.ts";

/** How far back it goes, in seconds. */
export const SECONDS_KEPT = 300;

/** Bounds between latencies that are told apart, in ms: each is a quarter above the one before, up to about a minute. */
const BOUNDS = Array.from({ length: 60 }, (_, at) => 0.1 * 1.25 ** at);

interface Second {
  at: number;
  requests: number;
  commits: number;
  created: number;
  settled: number;
  /** Requests by their latency: as many as `BOUNDS`, and those beyond. */
  readonly latencies: Uint32Array;
}

/**
 * Counts as things happen; it costs some additions. A second in which nothing happened takes no place.
 *
 * I1. `#seconds` are in order, at most `SECONDS_KEPT`, none older than that but the last.
 */
export class Activity {
  readonly #now: () => number;
  readonly #seconds: Second[] = [];

  /** `now`: in ms since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A request has been answered. */
  answered(seconds: number): void {
    const second = this.#current();
    second.requests++;
    const place = placeOf(seconds * 1_000);
    second.latencies[place] = (second.latencies[place] ?? 0) + 1;
  }

  committed({ changes }: Pick<Committed, "changes">): void {
    const second = this.#current();
    second.commits++;
    for (const change of changes) {
      if (!("put" in change) || change.put !== "promise") continue;
      const { state, dueAt } = change.record;
      if (state === "pending") second.created++;
      // Where many are to be told it is written again for each page of them, and is due until the last.
      else if (dueAt === undefined) second.settled++;
    }
  }

  /** The seconds from `since` on that are over; all but the one that is going on. */
  series(since = Number.NEGATIVE_INFINITY): readonly ActivityPoint[] {
    const now = secondOf(this.#now());
    const from = Math.max(since, now - SECONDS_KEPT * 1_000);
    return this.#seconds.filter(({ at }) => at >= from && at < now).map(pointOf);
  }

  #current(): Second {
    const at = secondOf(this.#now());
    const last = this.#seconds.at(-1);
    if (last && last.at >= at) return last;
    const old = this.#seconds.length < SECONDS_KEPT ? undefined : this.#seconds.shift();
    const latencies = old?.latencies.fill(0) ?? new Uint32Array(BOUNDS.length + 1);
    const second = { at, requests: 0, commits: 0, created: 0, settled: 0, latencies };
    this.#seconds.push(second);
    return second;
  }
}

function secondOf(at: number): number {
  return Math.floor(at / 1_000) * 1_000;
}

function placeOf(ms: number): number {
  if (ms <= 0.1) return 0;
  return Math.min(BOUNDS.length, Math.ceil(Math.log(ms / 0.1) / Math.log(1.25)));
}

function pointOf({ latencies, ...counts }: Second): ActivityPoint {
  if (counts.requests === 0) return counts;
  const at = (part: number) => latencyAt(latencies, Math.ceil(counts.requests * part));
  return { ...counts, p50: at(0.5), p99: at(0.99) };
}

/** The bound below which the first `count` of all requests are, in ms. */
function latencyAt(latencies: Uint32Array, count: number): number {
  let seen = 0;
  const place = latencies.findIndex((some) => {
    seen += some;
    return seen >= count;
  });
  return Number((BOUNDS[Math.min(place, BOUNDS.length - 1)] ?? 0).toPrecision(3));
}
