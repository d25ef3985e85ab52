import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate } from "@resonate-ts/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { factorial, GROUP } from "../src/factorial.ts";
import { product } from "../src/product.ts";

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
function open(file: string, computed: (n: number) => unknown): Resonate {
  // As the terminal shows it: `factorial(5)`.
  const told = (name: string) => computed(Number(/\d+/.exec(name)?.[0]));
  const worker = new Resonate({ path: join(folder, file), group: GROUP });
  worker.setDependency("report", told);
  worker.register("factorial", factorial);
  worker.register("product", product);
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

function split(worker: Resonate, from: number, to: number): Promise<bigint> {
  const target = worker.options({ target: GROUP });
  return worker.rpc<bigint>(`product-${from}-${to}`, "product", from, to, target);
}

test.each([1, 2, 8, 9, 100, 171, 1_000])("%i! by halves is what the chain gives", async (n) => {
  const worker = open("app.db", () => {});
  let exact = 1n;
  for (let i = 2n; i <= n; i++) exact *= i;
  expect(await split(worker, 1, n)).toBe(exact);
});

test("the second half of a range is computed while the first one is not there yet", async () => {
  const second = Promise.withResolvers<void>();
  const worker = open("app.db", (n) => n === 6 && second.resolve());
  // It exists already, and nobody computes it.
  await worker.promises.create("product-1-5", Date.now() + 60_000, {
    tags: { "resonate:scope": "global" },
  });
  const asked = split(worker, 1, 10);
  await second.promise;
  await worker.promises.resolveValue("product-1-5", 120n);
  expect(await asked).toBe(3_628_800n);
});

test("a half that was asked for before is not computed again", async () => {
  const computed: number[] = [];
  const worker = open("app.db", (n) => computed.push(n));
  await split(worker, 1, 16);
  expect(computed.toSorted((a, b) => a - b)).toEqual([1, 1, 9]);

  await split(worker, 1, 8);
  expect(computed).toHaveLength(3);
});

test.each([
  [0, 5],
  [5, 4],
  [1.5, 3],
  [1, 50_001],
])("the range %s to %s is refused", async (from, to) => {
  const refused = split(
    open("app.db", () => {}),
    from,
    to,
  );
  await expect(refused).rejects.toThrow(`not ${from} to ${to}`);
});
