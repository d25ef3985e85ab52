/**
 * `SEEDS=…` says how many seeds are tried, `SEED=…` which one is the first, `JOBS=…` how many jobs of each kind there are:
 * with 25 a run takes some 10,000 steps, requests and messages together.
 */
import { expect, test } from "vitest";
import { simulate } from "./simulation.ts";

const count = Number(process.env.SEEDS ?? 100);
const first = Number(process.env.SEED ?? 1);
const ofEach = Number(process.env.JOBS ?? 1);

test(
  `whatever fails, results are right, nothing is left open, and no acknowledged step is taken again (${count} seeds from ${first})`,
  async () => {
    let crashes = 0;
    for (let seed = first; seed < first + count; seed++) {
      const {
        log: _log,
        crashes: own,
        ...run
      } = await simulate(seed, ofEach).catch((cause: unknown) => {
        throw new Error(`SEED=${seed} failed`, { cause });
      });
      crashes += own;

      expect({ seed, ...run }).toEqual({ seed, wrong: [], open: [], again: [] });
    }
    // A simulation in which nothing goes wrong proves nothing.
    expect(crashes).toBeGreaterThan(count);
  },
  30_000 + count * ofEach * 1_000,
);

test("the same seed twice gives the same log, to the byte", async () => {
  for (let seed = first; seed < first + 5; seed++) {
    const one = await simulate(seed);
    const two = await simulate(seed);

    expect(two.log).toEqual(one.log);
    expect(one.log.length).toBeGreaterThan(100);
  }
});
