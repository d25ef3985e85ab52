import { expect, test } from "vitest";
import { type Wanted, wantedBy } from "../src/wanted.ts";

test("everything is measured three times, peers included", () => {
  const { rounds, workloads } = wanted();

  expect(rounds).toBe(3);
  expect(workloads.get("W1-steps-1000")).toEqual([
    "disk",
    "post",
    "official",
    "restate",
    "dbos",
    "memory",
    "file",
    "server",
    "postgres",
  ]);
});

test("quick leaves out the large workloads, and the peers that have to be installed", () => {
  const { rounds, workloads } = wanted("--quick");

  expect(rounds).toBe(1);
  expect([...workloads.keys()]).not.toContain("W2-fan-out-10000");
  expect([...workloads.values()].flat()).toContain("official");
  expect([...workloads.values()].flat()).not.toContain("restate");
  expect([...workloads.values()].flat()).not.toContain("dbos");
});

test("the start of a name stands for all that begin so, a whole name for itself", () => {
  expect([...wanted("--only", "W3").workloads.keys()]).toEqual(["W3-hops-100", "W3-hops-1000"]);
  expect([...wanted("--only", "W3-hops-100").workloads.keys()]).toEqual(["W3-hops-100"]);
});

test("sides are named one by one or by their family", () => {
  const { workloads } = wanted("--only", "W6", "--sides", "restate,ours");

  expect(workloads.get("W6-kill")).toEqual(["restate", "file", "server", "postgres"]);
});

test("a workload that nobody of them can do is left out", () => {
  expect([...wanted("--sides", "restate", "--only", "W2").workloads.keys()]).toEqual([
    "W2-fan-out-1000",
    "W2-fan-out-10000",
    "W2b-local-1000",
  ]);
});

test.each([
  [["--rounds", "0"], "--rounds must be a whole number from 1 to 100, got '0'"],
  [["--rounds", "1.5"], "--rounds must be a whole number from 1 to 100, got '1.5'"],
  [["--scale", "0"], "--scale must be more than 0 and at most 1, got '0'"],
  [["--scale", "2"], "--scale must be more than 0 and at most 1, got '2'"],
  [["--scale", "0.5", "--write"], "--write wants the whole of each workload: leave --scale out"],
  [["--sides", "ours,nobody"], "there is no side 'nobody'"],
  [["--only", "W9"], "nothing of 'W9' can be measured on limits,ours,peers"],
])("%j is refused", (args, reason) => {
  expect(wantedBy(args)).toBe(reason);
});

function wanted(...args: string[]): Wanted {
  const found = wantedBy(args);
  if (typeof found === "string") throw new Error(found);
  return found;
}
