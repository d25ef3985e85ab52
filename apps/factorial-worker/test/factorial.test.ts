import { crashAtEveryStep, type Lab, type LabOptions, openLab } from "@resonate-ts/testing";
import { afterEach, expect, test } from "vitest";
import { factorial, factorialInput, GROUP } from "../src/factorial.ts";
import { product, productInput } from "../src/product.ts";

let lab: Lab;
/** What the workers have told of, in order. */
let told: string[] = [];

afterEach(async () => {
  await lab?.close();
  told = [];
});

/** A server and workers in this process, without a network and without a file. */
async function open(options: Pick<LabOptions, "workers" | "onCall"> = {}): Promise<void> {
  lab = await openLab({
    ...options,
    group: GROUP,
    register: (resonate) => {
      resonate.setDependency("report", (name: string) => told.push(name));
      resonate.register(factorial, { input: factorialInput });
      resonate.register(product, { input: productInput });
    },
  });
}

function ask(n: number): Promise<bigint> {
  return lab.run(`factorial-${n}`, factorial, n);
}

function split(from: number, to: number): Promise<bigint> {
  return lab.run(`product-${from}-${to}`, product, { from, to });
}

test.each([
  [0, 1n],
  [1, 1n],
  [20, 2_432_902_008_176_640_000n],
  // The first that plain numbers do not hold.
  [23, 25_852_016_738_884_976_640_000n],
])("%i! is %s", async (n, value) => {
  await open();
  expect(await ask(n)).toBe(value);
});

test.each([-1, 2.5, 5_001, Number.NaN, "x"])(
  "%s is refused, and nothing is asked for",
  async (n) => {
    await open();
    // As another program may ask: nothing holds it to numbers.
    await expect(lab.run("wrong", "factorial", n)).rejects.toThrow(
      "factorial takes a whole number from 0 to 5000",
    );
    expect((await lab.client.promises.search()).promises).toHaveLength(1);
  },
);

test("171!, which a plain number calls infinite, has 310 digits", async () => {
  await open();
  expect(String(await ask(171))).toHaveLength(310);
});

test("a factorial that was asked for on the way to a larger one is not computed again", async () => {
  await open();
  await ask(8);
  expect(told).toEqual(factorials(1, 8));

  expect(await ask(5)).toBe(120n);
  expect(await ask(8)).toBe(40_320n);
  expect(await ask(10)).toBe(3_628_800n);

  expect(told).toEqual(factorials(1, 10));
});

test("workers share the calls, and another one goes on where one was killed", async () => {
  const killed: string[] = [];
  await open({
    workers: 3,
    onCall({ id, process }) {
      if (id !== "factorial-20" || killed.length > 0) return;
      killed.push(process);
      lab.workers.find(({ name }) => name === process)?.crash();
    },
  });

  expect(await ask(40)).toBe(factorialOf(40));
  expect(killed).toHaveLength(1);
  expect([...new Set(told)].toSorted()).toEqual(factorials(1, 40).toSorted());
  expect(lab.enteredAgain).toEqual([]);
});

test.each([
  ["factorial", factorial, [6], 720n],
  ["product", product, [{ from: 1, to: 20 }], factorialOf(20)],
])("%s is the same after a crash at any point", async (_, fn, args, value) => {
  const register = { factorial, product };
  const { outcome, points } = await crashAtEveryStep(fn, { args, group: GROUP, register });
  expect(outcome).toEqual({ kind: "value", value });
  expect(points.length).toBeGreaterThan(5);
});

test("a call costs two requests: one that calls and waits, one with the result", async () => {
  await open();
  await ask(100);
  lab.requests.clear();
  await ask(200);
  // One is the question itself.
  expect(lab.requests.exchanges).toBe(1 + 2 * 100);
});

test.each([1, 2, 8, 9, 100, 171, 1_000])("%i! by halves is what the chain gives", async (n) => {
  await open({ workers: 3 });
  expect(await split(1, n)).toBe(factorialOf(n));
});

test("the second half of a range is computed while the first one is not there yet", async () => {
  await open();
  // It exists already, and nobody computes it.
  await lab.client.promises.create("product-1-5", lab.now() + 60_000, {
    tags: { "resonate:scope": "global" },
  });
  const asked = lab.client.rpc("product-1-10", "product", { from: 1, to: 10 });
  await lab.created("product-6-10");
  await lab.idle();
  expect(told).toEqual(["product(6..10)"]);
  await lab.client.promises.resolveValue("product-1-5", 120n);
  expect(await lab.until(asked)).toBe(3_628_800n);
});

test("a half that was asked for before is not computed again", async () => {
  await open();
  await split(1, 16);
  expect(told.toSorted()).toEqual(["product(1..16)", "product(1..8)", "product(9..16)"]);

  await split(1, 8);
  expect(told).toHaveLength(3);
});

test.each([
  [0, 5],
  [5, 4],
  [1.5, 3],
  [1, 50_001],
])("the range %s to %s is refused", async (from, to) => {
  await open();
  await expect(split(from, to)).rejects.toThrow("whole numbers within 1 to 50000");
});

function factorials(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `factorial(${from + at})`);
}

/** n!, by a plain loop. */
function factorialOf(n: number): bigint {
  let exact = 1n;
  for (let i = 2n; i <= n; i++) exact *= i;
  return exact;
}
