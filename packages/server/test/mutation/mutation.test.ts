/** The tests find bugs: a few of them in every run, all of them by `MUTANTS=all`, or by `main.ts`, which says more. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Random } from "../differential/random.ts";
import { mutants } from "./mutants.ts";
import { mutated, Workshop } from "./workshop.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const all = process.env["MUTANTS"] === "all";
const SAMPLE = 3;

test("there are 25 mutants and more, one for each question, and the sources have their places", async () => {
  for (const mutant of mutants) {
    const path = fileURLToPath(new URL(`../../../../${mutant.file}`, import.meta.url));
    expect(() => mutated("", mutant)).toThrow(mutant.name);
    mutated(await readFile(path, "utf8"), mutant);
  }

  expect(mutants.length).toBeGreaterThanOrEqual(25);
  const questions = new Set(mutants.flatMap(({ question }) => question ?? []));
  expect([...questions]).toEqual(Array.from({ length: 12 }, (_, index) => `C${index + 1}`));
});

test(`mutants are found: ${all ? "all" : SAMPLE} of them (SEED=${seed})`, async () => {
  const random = new Random(seed);
  const shuffled = mutants.toSorted(() => random.next() - 0.5);
  const workshop = await Workshop.open();
  try {
    const chosen = all ? mutants : shuffled.slice(0, SAMPLE);
    expect(await workshop.untouched(chosen)).toBe("green");

    for (const mutant of chosen) {
      expect([mutant.name, await workshop.judge(mutant)]).toEqual([mutant.name, "red"]);
    }
  } finally {
    await workshop.close();
  }
}, 1_800_000);
