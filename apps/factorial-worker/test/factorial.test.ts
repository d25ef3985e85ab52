import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate } from "@resonate-ts/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { factorial, GROUP } from "../src/factorial.ts";

let folder: string;
const workers: Resonate[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "factorial-worker-"));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A worker on a file; `computed` is told of every multiplication. */
function open(file: string, computed: (n: number) => void): Resonate {
  const worker = new Resonate({ path: join(folder, file), group: GROUP });
  worker.setDependency("report", computed);
  worker.register("factorial", factorial);
  workers.push(worker);
  return worker;
}

function ask(worker: Resonate, n: number): Promise<bigint> {
  return worker.rpc<bigint>(`factorial-${n}`, "factorial", n, worker.options({ target: GROUP }));
}

test.each([
  [0, 1n],
  [1, 1n],
  [20, 2_432_902_008_176_640_000n],
  // The first that plain numbers do not hold.
  [23, 25_852_016_738_884_976_640_000n],
])("%i! is %s", async (n, value) => {
  expect(
    await ask(
      open("app.db", () => {}),
      n,
    ),
  ).toBe(value);
});

test.each([-1, 2.5, 5_001, Number.NaN, "x"])(
  "%s is refused, and nothing is asked for",
  async (n) => {
    const worker = open("app.db", () => {});
    // As another program may ask: nothing holds it to numbers.
    const asked = worker.rpc("wrong", "factorial", n, worker.options({ target: GROUP }));
    await expect(asked).rejects.toThrow(`a whole number from 0 to 5000, not ${n}`);
    expect((await worker.promises.search()).promises).toHaveLength(1);
  },
);

test("171!, which a plain number calls infinite, has 310 digits", async () => {
  expect(
    String(
      await ask(
        open("app.db", () => {}),
        171,
      ),
    ),
  ).toHaveLength(310);
});

test("a factorial that was asked for on the way to a larger one is not computed again", async () => {
  const computed: number[] = [];
  const worker = open("app.db", (n) => computed.push(n));
  await ask(worker, 8);
  expect(computed).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

  expect(await ask(worker, 5)).toBe(120n);
  expect(await ask(worker, 8)).toBe(40_320n);
  expect(await ask(worker, 10)).toBe(3_628_800n);

  expect(computed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("another process goes on where one was cut off, and repeats no finished multiplication", async () => {
  const before: number[] = [];
  const cut = Promise.withResolvers<void>();
  const worker = open("app.db", (n) => {
    before.push(n);
    if (n < 5) return;
    // What is on the disk at this moment is what a kill would leave: 5! is computed, but not on record.
    for (const suffix of ["", "-wal"]) {
      cpSync(join(folder, `app.db${suffix}`), join(folder, `left.db${suffix}`));
    }
    cut.resolve();
  });
  void ask(worker, 9);
  await cut.promise;

  const after: number[] = [];
  const other = open("left.db", (n) => after.push(n));

  expect(await ask(other, 9)).toBe(362_880n);
  expect(before.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
  expect(after).toEqual([5, 6, 7, 8, 9]);
});
