/** What all samples come to, and what of it is not as it should be. */
import type { Idle, ProcessSample, Sample } from "./sampler.ts";

const MB = 1024 * 1024;
const MS_PER_HOUR = 3_600_000;
/** Before it, caches fill and code is compiled. */
const WARM_UP = 1 / 3;
/** Slopes and ratios of shorter soaks say nothing. */
const JUDGED_FROM_MS = 30 * 60_000;
const RSS_MB_PER_HOUR_MAX = 1;
const P99_RATIO_MAX = 1.2;
/** SQLite's log; PostgreSQL keeps its own by `max_wal_size`. */
const LOG_MB_MAX = 64;
/** Connections come and go; leaks go on. */
const FDS_MORE_MAX = 10;
const IDLE_CPU_PERCENT_MAX = 1;
/** One is the look of each server; the rest is retention, and what PostgreSQL does by itself (autovacuum). */
const IDLE_TRANSACTIONS_PER_SERVER_MAX = 2;

export interface Summary {
  readonly ended: number;
  readonly wrong: number;
  /** Begun, and not ended two minutes after the last began. */
  readonly unfinished: number;
  /** By processes, after the warm-up: first the servers, then the worker. */
  readonly rssMbPerHour: readonly number[];
  readonly rssMbLast: readonly number[];
  readonly fds: readonly { readonly first: number; readonly last: number }[];
  readonly logMbMax: number;
  readonly databaseMb: { readonly first: number; readonly last: number };
  /** Of the thirds after the warm-up. */
  readonly p99Ms: { readonly start: number; readonly end: number };
  readonly idle: Idle;
  /** Empty when all is as it should be. */
  readonly problems: readonly string[];
}

export function summary({
  samples,
  idle,
  ended,
  wrong,
  unfinished,
}: {
  readonly samples: readonly Sample[];
  readonly idle: Idle;
  readonly ended: number;
  readonly wrong: number;
  readonly unfinished: number;
}): Summary {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const middle = Math.floor(warm.length / 2);
  const [one, two] = [warm.slice(0, middle), warm.slice(middle)];
  const processes = (samples[0]?.servers.length ?? 0) + 1;
  const rows = Array.from({ length: processes }, (_, at) =>
    warm.map((sample) => processAt(sample, at)),
  );
  const p99Ms = { start: medianP99(one), end: medianP99(two) };
  const total = {
    ended,
    wrong,
    unfinished,
    rssMbPerHour: rows.map((row) => slope(warm, row)),
    rssMbLast: rows.map((row) => mb(row.at(-1)?.rssBytes)),
    fds: rows.map((row) => ({ first: row[0]?.fds ?? 0, last: row.at(-1)?.fds ?? 0 })),
    logMbMax: mb(Math.max(0, ...samples.map(({ logBytes }) => logBytes))),
    databaseMb: { first: mb(warm[0]?.databaseBytes), last: mb(warm.at(-1)?.databaseBytes) },
    p99Ms,
    idle,
  };
  return { ...total, problems: problems(total, samples.at(-1)?.at ?? 0) };
}

function problems(total: Omit<Summary, "problems">, tookMs: number): readonly string[] {
  const { wrong, fds, logMbMax, rssMbPerHour, p99Ms, idle } = total;
  const found: string[] = [];
  const check = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  check(total.ended > 0, "nothing ended");
  check(total.unfinished === 0, `${total.unfinished} workflows did not end`);
  check(wrong === 0, `${wrong} workflows did not give their result`);
  check(
    fds.every(({ first, last }) => last <= first + FDS_MORE_MAX),
    "open files grow",
  );
  // Where transactions are counted, it is PostgreSQL.
  const { transactionsPerSecond, cpuPercent } = idle;
  if (transactionsPerSecond === undefined)
    check(logMbMax < LOG_MB_MAX, `the log is ${logMbMax} MB`);
  else {
    const most = cpuPercent.length * IDLE_TRANSACTIONS_PER_SERVER_MAX;
    check(
      transactionsPerSecond <= most,
      `${transactionsPerSecond} transactions a second when idle`,
    );
  }
  check(
    cpuPercent.every((percent) => percent <= IDLE_CPU_PERCENT_MAX),
    `${cpuPercent.join(", ")} % of a processor when idle`,
  );
  if (tookMs < JUDGED_FROM_MS) return found;
  check(
    rssMbPerHour.every((rise) => rise < RSS_MB_PER_HOUR_MAX),
    `memory grows by ${rssMbPerHour.join(", ")} MB an hour`,
  );
  check(
    p99Ms.end <= p99Ms.start * P99_RATIO_MAX,
    `p99 went from ${p99Ms.start} to ${p99Ms.end} ms`,
  );
  return found;
}

/** The servers in their order, and then the worker. */
function processAt({ servers, worker }: Sample, at: number): ProcessSample {
  return servers[at] ?? worker;
}

/** Of memory over time, by least squares, in MB per hour. */
function slope(samples: readonly Sample[], row: readonly ProcessSample[]): number {
  const meanAt = mean(samples.map(({ at }) => at));
  const meanRss = mean(row.map(({ rssBytes }) => rssBytes));
  let over = 0;
  let under = 0;
  samples.forEach(({ at }, place) => {
    over += (at - meanAt) * ((row[place]?.rssBytes ?? 0) - meanRss);
    under += (at - meanAt) ** 2;
  });
  return under === 0 ? 0 : mb((over / under) * MS_PER_HOUR);
}

function medianP99(samples: readonly Sample[]): number {
  const sorted = samples.map(({ p99Ms }) => p99Ms).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function mb(bytes = 0): number {
  return Math.round((bytes / MB) * 10) / 10;
}
