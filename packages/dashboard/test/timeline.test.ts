import { expect, test } from "vitest";
import { curvesOf, WINDOW_MS, withPoint } from "../src/model/activity.ts";
import { spanOf, ticksOf, timelineRows, zoomed } from "../src/model/timeline.ts";
import { call, chain, done, fan, NOW, node, root, run } from "./made.ts";

test("each row comes before what it has started, and siblings by time", () => {
  const tree = run(
    root("r"),
    call("r:0", "r"),
    call("r:1", "r"),
    node("r:0.0", { parent: "r:0" }),
    node("r:1.0", { parent: "r:1" }),
  );

  expect(timelineRows(tree).map(({ node: { id }, depth }) => `${depth} ${id}`)).toEqual([
    "0 r",
    "1 r:0",
    "2 r:0.0",
    "1 r:1",
    "2 r:1.0",
  ]);
});

test("a run that is 20,000 wide or deep has as many rows", () => {
  expect(timelineRows(fan(20_000))).toHaveLength(20_001);
  expect(timelineRows(chain(20_000))).toHaveLength(20_000);
});

test("the span of a run ends with its last settlement, and with now while something is open", () => {
  const ended = run(done(root("r"), NOW + 500), done(call("r:0", "r"), NOW + 700));

  expect(spanOf(ended, NOW + 9_000)).toEqual({ from: NOW, to: NOW + 700 });
  expect(spanOf(run(root("r")), NOW + 9_000)).toEqual({ from: NOW, to: NOW + 9_000 });
  expect(spanOf(run(done(root("r"), NOW)), NOW)).toEqual({ from: NOW, to: NOW + 1 });
});

test("ticks are round, and about as many as there is room for", () => {
  expect(ticksOf({ from: 0, to: 4_200 }, 0, 5)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
  expect(ticksOf({ from: 1_500, to: 1_540 }, 0, 4)).toEqual([1_500, 1_510, 1_520, 1_530, 1_540]);
  expect(ticksOf({ from: 0, to: 400 * 86_400_000 }, 0, 6).length).toBeLessThanOrEqual(8);
});

test("zooming in time keeps the instant under the pointer, down to a millisecond", () => {
  expect(zoomed({ from: 0, to: 1_000 }, 0.5, 0.25)).toEqual({ from: 125, to: 625 });
  expect(zoomed({ from: 0, to: 1 }, 0.5, 0)).toEqual({ from: 0, to: 1 });
});

const point = (at: number, requests = 1) => {
  return { at, requests, commits: 1, created: 0, settled: 0, p50: 2, p99: 3 };
};

test("a second that is told of again takes the place of what was known of it", () => {
  const series = [point(1_000), point(3_000)];

  expect(withPoint(series, point(1_000, 7)).map(({ requests }) => requests)).toEqual([7, 1]);
  expect(withPoint(series, point(2_000)).map(({ at }) => at)).toEqual([1_000, 2_000, 3_000]);
  expect(withPoint(series, point(WINDOW_MS + 1_500))).toHaveLength(2);
});

test("seconds without a point are zeros, and have no latency", () => {
  const curves = curvesOf([point(NOW - 3_000, 5)], NOW);

  expect(curves.at).toHaveLength(300);
  expect(curves.requests.slice(-3)).toEqual([5, 0, 0]);
  expect(curves.p50.slice(-3)).toEqual([2, null, null]);
});
