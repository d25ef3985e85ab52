import { expect, test } from "vitest";
import { Activity } from "../../src/dashboard/activity.ts";
import { promise } from "../support/every-store.ts";

let now = 0;
const activity = () => {
  now = 5_000;
  return new Activity(() => now);
};

test("a second that is over has a point, the one that goes on has none", () => {
  const seen = activity();
  seen.answered(0.001);
  seen.committed({
    changes: [
      { put: "promise", record: promise("a") },
      { put: "promise", record: promise("a", { state: "resolved", settledAt: 1 }) },
      { put: "promise", record: promise("b", { state: "resolved", settledAt: 1, dueAt: 2 }) },
      { delete: "promise", id: "c" },
    ],
  });
  now = 5_999;
  expect(seen.series()).toEqual([]);

  now = 6_000;

  expect(seen.series()).toEqual([
    { at: 5_000, requests: 1, commits: 1, created: 1, settled: 1, p50: 1.16, p99: 1.16 },
  ]);
});

test("a second without requests has no latency", () => {
  const seen = activity();
  seen.committed({ changes: [] });
  now = 6_000;

  expect(seen.series()).toEqual([{ at: 5_000, requests: 0, commits: 1, created: 0, settled: 0 }]);
});

test("latencies are told to about a quarter, and the slow ones are not lost among the fast", () => {
  const seen = activity();
  for (let at = 0; at < 98; at++) seen.answered(0.002);
  seen.answered(0.5);
  seen.answered(1_000);
  now = 6_000;

  const [point] = seen.series();

  expect(point?.p50).toBeGreaterThanOrEqual(2);
  expect(point?.p50).toBeLessThan(2.5);
  expect(point?.p99).toBeGreaterThanOrEqual(500);
  expect(point?.p99).toBeLessThan(625);
});

test("five minutes are kept, and no more", () => {
  const seen = activity();
  for (let at = 0; at < 1_000; at++) {
    now = at * 1_000;
    seen.answered(0.001);
  }
  now = 1_000_000;

  const series = seen.series();

  expect(series).toHaveLength(300);
  expect(series[0]).toMatchObject({ at: 700_000, requests: 1, p99: 1.16 });
  expect(series.at(-1)?.at).toBe(999_000);
  now = 1_100_500;
  expect(seen.series()).toHaveLength(200);
  expect(seen.series(998_000).map(({ at }) => at)).toEqual([998_000, 999_000]);
});
