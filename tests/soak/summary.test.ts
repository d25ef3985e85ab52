import { expect, test } from "vitest";
import type { Sample } from "../../scripts/soak/sampler.ts";
import { summary } from "../../scripts/soak/summary.ts";

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;
const IDLE = { cpuPercent: [0.5] };

/** A sample a minute for an hour, of a system that is as it should be. */
function hour(over: (minute: number) => Partial<Sample> = () => ({})): readonly Sample[] {
  const process = { pid: 1, rssBytes: 100 * MB, fds: 30 };
  return Array.from({ length: 60 }, (_, minute) => ({
    at: (minute + 1) * MINUTE_MS,
    servers: [process],
    worker: process,
    databaseBytes: 10 * MB,
    logBytes: 32 * MB,
    ended: 3_000,
    p50Ms: 5,
    p99Ms: 20,
    open: 1,
    ...over(minute),
  }));
}

function problemsOf(samples: readonly Sample[], over: object = {}): readonly string[] {
  return summary({ samples, idle: IDLE, ended: 180_000, wrong: 0, unfinished: 0, ...over })
    .problems;
}

test("an hour in which nothing grows has no problems", () => {
  expect(problemsOf(hour())).toEqual([]);
});

test("memory that grows after the warm-up is one, by how much an hour", () => {
  const grows = (minute: number) => ({
    servers: [{ pid: 1, fds: 30, rssBytes: (100 + minute / 30) * MB }],
  });

  expect(problemsOf(hour(grows))).toEqual(["memory grows by 2, 0 MB an hour"]);
});

test("memory that grows in the warm-up only is none", () => {
  const grows = (minute: number) => ({
    servers: [{ pid: 1, fds: 30, rssBytes: (100 + Math.min(minute, 19)) * MB }],
  });

  expect(problemsOf(hour(grows))).toEqual([]);
});

test("answers that take longer and longer are one", () => {
  expect(problemsOf(hour((minute) => ({ p99Ms: 20 + minute / 2 })))).toHaveLength(1);
});

test("wrong results, open files, a long log, and work when idle are, however short it was", () => {
  const worse = (minute: number) => ({
    worker: { pid: 2, rssBytes: MB, fds: 30 + 5 * minute },
    logBytes: 100 * MB,
  });

  const problems = problemsOf(hour(worse).slice(0, 9), {
    wrong: 1,
    unfinished: 2,
    idle: { cpuPercent: [7] },
  });

  expect(problems).toEqual([
    "2 workflows did not end",
    "1 workflows did not give their result",
    "open files grow",
    "the log is 100 MB",
    "7 % of a processor when idle",
  ]);
});

test("on PostgreSQL more transactions than looks and upkeep take are one, and its log is its own", () => {
  const log = () => ({ logBytes: 500 * MB });
  const idle = (transactionsPerSecond: number) => ({
    idle: { cpuPercent: [0.5, 0.5], transactionsPerSecond },
  });

  expect(problemsOf(hour(log), idle(4))).toEqual([]);
  expect(problemsOf(hour(log), idle(5))).toEqual(["5 transactions a second when idle"]);
});
