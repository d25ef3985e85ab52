import { afterAll, expect, test } from "vitest";
import { measureAll, type Rounds } from "../src/rounds.ts";
import { remove, temporaryFolder } from "../src/temporary-folder.ts";

const folder = temporaryFolder();
afterAll(() => remove(folder));

/** Several processes are started one after the other. */
const TIMEOUT_MS = 60_000;

test(
  "a side that fails is left out, and the others go on",
  async () => {
    const outcomes = await measureAll(run("W1-steps-1000", ["nobody", "disk"]));

    expect(outcomes.get("nobody")?.measured).toEqual([]);
    expect(outcomes.get("nobody")?.failed).toContain("there is no nobody");
    expect(outcomes.get("disk")?.measured).toMatchObject([{ units: 10 }, { units: 10 }]);
  },
  TIMEOUT_MS,
);

test(
  "a worker that is killed is followed by one that ends the workflow",
  async () => {
    const outcomes = await measureAll({ ...run("W6-kill", ["file"]), rounds: 1 });

    expect(outcomes.get("file")).toMatchObject({ measured: [{ units: 1, recordedAgain: 0 }] });
  },
  TIMEOUT_MS,
);

/** A hundredth of a workload, twice. */
function run(workload: string, sides: readonly string[]): Rounds {
  const nothing = () => {};
  return {
    workload,
    sides,
    rounds: 2,
    scale: 0.01,
    folder,
    postgres: undefined,
    progress: nothing,
  };
}
