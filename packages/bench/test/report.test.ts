import { expect, test } from "vitest";
import { chart } from "../src/chart.ts";
import { tableOf, tableOfGoals } from "../src/report.ts";
import type { Outcome } from "../src/rounds.ts";

test("a table has medians, ranges, and how many times as fast as each peer", () => {
  const results = measured("W1-steps-1000", {
    restate: outcome(3_000, 1_000, 2_000),
    server: outcome(500, 400, 700),
  });

  expect(tableOf(results, "W1-steps-1000").split("\n")).toEqual([
    "**W1 · 1,000 steps, one after the other**",
    "",
    "|         | ms per step |     min–max | per s | × Restate |",
    "|---------|------------:|------------:|------:|----------:|",
    "| restate |        2.00 |   1.00–3.00 |   500 |      1.00 |",
    "| server  |       0.500 | 0.400–0.700 | 2,000 |      4.00 |",
  ]);
});

test("a side that failed says why, and does not hide the others", () => {
  const results = measured("W1-steps-1000", {
    restate: { measured: [], failed: "no\n result" },
    file: outcome(100),
  });

  const text = tableOf(results, "W1-steps-1000");
  expect(text).toContain("| file |");
  expect(text).not.toContain("| restate |");
  expect(text).toContain("restate failed: no result");
});

test.each([
  [847, "yes"],
  [852, "no"],
])("a bare POST of 720 µs makes %i µs of a server's step '%s'", (us, met) => {
  const results = measured("W1-steps-1000", { post: outcome(720), server: outcome(us) });

  const goals = tableOfGoals(results).split("\n").slice(2);
  expect(goals).toHaveLength(1);
  expect(goals[0]).toMatch(new RegExp(`share of the rate of a bare POST.*≥ 0\\.850.* ${met} \\|$`));
});

test("a child that ran again though its result was on record misses the goal", () => {
  const killed = (recordedAgain: number) =>
    measured("W6-kill", { server: { measured: [{ ms: 1_000, units: 1, recordedAgain }] } });

  expect(tableOfGoals(killed(0))).toMatch(/≤ 0 +\| +0 \| yes/);
  expect(tableOfGoals(killed(1))).toMatch(/≤ 0 +\| +1\.00 \| +no/);
});

test("goals of which nothing was measured are not shown", () => {
  expect(tableOfGoals(measured("W1-steps-1000", { server: outcome(500) }))).toBe("");
});

test("the picture has a bar for each side that was measured", () => {
  const picture = chart(
    measured("W1-steps-1000", {
      server: outcome(500),
      file: outcome(200),
      restate: { measured: [], failed: "no result" },
    }),
  );

  expect(picture.match(/<rect x=/g)).toHaveLength(2);
  expect(picture).not.toContain("NaN");
});

function measured(workload: string, sides: Readonly<Record<string, Outcome>>) {
  return new Map([[workload, new Map(Object.entries(sides))]]);
}

/** One round for each time, of a thousand units. */
function outcome(...times: readonly number[]): Outcome {
  return { measured: times.map((ms) => ({ ms, units: 1_000 })) };
}
