/** What we want to reach, and whether a run has reached it. */
import { figureOf, msOf, type Results, ratio } from "./results.ts";

export interface Goal {
  readonly workload: string;
  readonly text: string;
  /** What was reached; `undefined` where something of it was not measured. */
  readonly reached: (results: Results) => number | undefined;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

/** How often as fast `side` is as `other`. */
const timesAsFast = (workload: string, side: string, other: string) => (results: Results) =>
  ratio(msOf(results, workload, other), msOf(results, workload, side));

/** The time that `side` takes as a share of that of `other`. */
const share = (workload: string, side: string, other: string) => (results: Results) =>
  ratio(msOf(results, workload, side), msOf(results, workload, other));

/** A unit of the one workload takes so many times one of the other. */
const growth = (side: string, to: string, from: string) => (results: Results) =>
  ratio(msOf(results, to, side), msOf(results, from, side));

export const GOALS: readonly Goal[] = [
  {
    workload: "W1",
    text: "server: share of the rate of a bare POST and commit",
    reached: timesAsFast("W1-steps-1000", "server", "post"),
    bound: { atLeast: 0.85 },
  },
  {
    workload: "W1",
    text: "embedded: share of the rate of fdatasync",
    reached: timesAsFast("W1-steps-1000", "file", "disk"),
    bound: { atLeast: 0.75 },
  },
  ...["server", "file"].map((side) => ({
    workload: "W1",
    text: `${side}: cost of a step of 10,000 to that of one of 100`,
    reached: growth(side, "W1-steps-10000", "W1-steps-100"),
    bound: { atMost: 1.1 },
  })),
  {
    workload: "W1",
    text: "server: times Restate's rate",
    reached: timesAsFast("W1-steps-1000", "server", "restate"),
    bound: { atLeast: 2.2 },
  },
  {
    workload: "W1",
    text: "embedded: times Restate's rate",
    reached: timesAsFast("W1-steps-1000", "file", "restate"),
    bound: { atLeast: 5 },
  },
  {
    workload: "W2",
    text: "server, 10,000 children: share of Restate's time",
    reached: share("W2-fan-out-10000", "server", "restate"),
    bound: { atMost: 1 / 8 },
  },
  {
    workload: "W2",
    text: "server: time of 50,000 children to that of 5,000",
    reached: (results) => {
      const each = growth("server", "W2-fan-out-50000", "W2-fan-out-5000")(results);
      return each === undefined ? undefined : each * 10;
    },
    bound: { atMost: 11 },
  },
  {
    workload: "W2",
    text: "server, 10,000 children: MB of the server",
    reached: (results) => figureOf(results, "W2-fan-out-10000", "server", "serverMemory"),
    bound: { atMost: 150 },
  },
  {
    workload: "W2",
    text: "server, 10,000 children: MB of the worker",
    reached: (results) => figureOf(results, "W2-fan-out-10000", "server", "memory"),
    bound: { atMost: 250 },
  },
  {
    workload: "W2b",
    text: "server: times Restate's rate",
    reached: timesAsFast("W2b-local-1000", "server", "restate"),
    bound: { atLeast: 10 },
  },
  {
    workload: "W3",
    text: "server, 100 deep: share of Restate's time",
    reached: share("W3-hops-100", "server", "restate"),
    bound: { atMost: 1 / 4 },
  },
  {
    workload: "W3",
    text: "server: cost of a hop 1,000 deep to that of one 100 deep",
    reached: growth("server", "W3-hops-1000", "W3-hops-100"),
    bound: { atMost: 1.1 },
  },
  {
    workload: "W4",
    text: "server: times Restate's rate",
    reached: timesAsFast("W4-closed", "server", "restate"),
    bound: { atLeast: 4 },
  },
  {
    workload: "W4",
    text: "server: share of Restate's p99",
    reached: (results) =>
      ratio(
        figureOf(results, "W4-closed", "server", "p99"),
        figureOf(results, "W4-closed", "restate", "p99"),
      ),
    bound: { atMost: 1 / 4 },
  },
  {
    workload: "W5",
    text: "server: share of Restate's time",
    reached: share("W5-start", "server", "restate"),
    bound: { atMost: 1 / 3 },
  },
  {
    workload: "W5",
    text: "embedded: share of Restate's time",
    reached: share("W5-start", "file", "restate"),
    bound: { atMost: 1 / 8 },
  },
  {
    workload: "W6",
    text: "server: share of Restate's time from the kill to the result",
    reached: share("W6-kill", "server", "restate"),
    bound: { atMost: 1 },
  },
  ...["server", "file", "postgres"].map((side) => ({
    workload: "W6",
    text: `${side}: children that ran again though their result was on record`,
    reached: (results: Results) => figureOf(results, "W6-kill", side, "recordedAgain"),
    bound: { atMost: 0 },
  })),
  ...["server", "postgres"].flatMap((side) => [
    {
      workload: "Idle",
      text: `${side}: share of a processor`,
      reached: (results: Results) => figureOf(results, "idle-server", side, "processorShare"),
      bound: { atMost: 0.01 },
    },
    {
      workload: "Idle",
      text: `${side}: statements a second`,
      reached: (results: Results) => figureOf(results, "idle-server", side, "statementsPerS"),
      bound: { atMost: 1 },
    },
  ]),
];

/** Whether the goal is met; `undefined` where it was not measured. */
export function isMet({ reached, bound }: Goal, results: Results): boolean | undefined {
  const value = reached(results);
  if (value === undefined) return undefined;
  return "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost;
}
