/**
 * The same program as a generator and as an async function. `PROGRAMS=…` says how many are tried, `SEED=…` repeats a
 * run.
 */
import type { Extension } from "@resonate-ts/sdk";
import { type Lab, openLab } from "@resonate-ts/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { functionsOf, meaning, type Program, programs } from "./programs.ts";

const numRuns = Number(process.env.PROGRAMS ?? 300);
const seed = process.env.SEED ? { seed: Number(process.env.SEED) } : {};
const PAGE = 1_000;

// Stacks say on which line an error was made, and that is not the same in both styles.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

interface Surroundings {
  readonly workers: number;
  readonly extensions?: readonly Extension[];
  readonly warmExecutionsMax: number;
}

const surroundings: fc.Arbitrary<Surroundings> = fc.record(
  {
    workers: fc.constantFrom(1, 3),
    extensions: fc.constant<readonly Extension[]>([]),
    warmExecutionsMax: fc.constantFrom(0, 1_000),
  },
  { requiredKeys: ["workers", "warmExecutionsMax"] },
);

test(
  `the record of ${numRuns} programs is the same in both styles, byte for byte, instants included`,
  async () => {
    const property = fc.asyncProperty(programs, surroundings, async (program, around) => {
      const generator = await recordOf(program, "generator", around);
      const asynchronous = await recordOf(program, "async", around);

      expect(generator.result).toEqual(meaning(program));
      expect(asynchronous.result).toEqual(meaning(program));
      expect(asynchronous.record).toEqual(generator.record);
      expect(JSON.stringify(asynchronous.record)).toBe(JSON.stringify(generator.record));
    });
    await fc.assert(property, { numRuns, ...seed, endOnFailure: true });
  },
  // A long lane runs as many programs as it is asked for.
  30_000 + numRuns * 500,
);

async function recordOf(
  program: Program,
  style: "generator" | "async",
  { workers, extensions, warmExecutionsMax }: Surroundings,
): Promise<{ readonly result: unknown; readonly record: readonly object[] }> {
  const lab = await openLab({
    workers,
    register: functionsOf(style),
    resonate: { warmExecutionsMax },
    ...(extensions && { extensions }),
  });
  try {
    const result = await lab.run("p", "program", program);
    // What was detached goes on.
    await lab.idle();
    return { result, record: await everything(lab) };
  } finally {
    await lab.close();
  }
}

/** All promises, by id. */
async function everything({ client }: Lab): Promise<readonly object[]> {
  const { promises } = await client.promises.search({ limit: PAGE });
  expect(promises.length).toBeLessThan(PAGE);
  return promises;
}
