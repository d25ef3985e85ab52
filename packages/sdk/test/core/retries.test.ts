import { beforeEach, expect, test } from "vitest";
import { Constant, type Context, Exponential, type RetryPolicy } from "../../src/index.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let attempts: number[] = [];
beforeEach(async () => {
  world = await openWorld();
  attempts = [];
});

const atOnce = (maxRetries: number) => new Constant({ delay: 0, maxRetries });
const fails = (times: number) => (ctx: Context) => {
  attempts.push(ctx.info.attempt);
  if (attempts.length <= times) throw new Error(`attempt ${attempts.length}`);
  return attempts.length;
};

test("a step that fails is tried again, each attempt with its number", async () => {
  const step = fails(2);
  const fn = async (ctx: Context) => ctx.run(step, ctx.options({ retryPolicy: atOnce(5) }));
  const { resonate, network } = world.client({ register: { fn } });

  expect(await resonate.run("w", "fn")).toBe(3);
  expect(attempts).toEqual([1, 2, 3]);
  expect(network.summary("promise.settle")).toEqual(["promise.settle w:0"]);
});

test("when its retries are used up, its last error is thrown", async () => {
  const step = fails(9);
  const fn = async (ctx: Context) => ctx.run(step, ctx.options({ retryPolicy: atOnce(2) }));
  const { resonate } = world.client({ register: { fn } });

  await expect(resonate.run("w", "fn")).rejects.toThrow("attempt 3");
  expect(attempts).toEqual([1, 2, 3]);
});

test("a wait that would reach the deadline is not made", async () => {
  const step = fails(9);
  const retryPolicy = new Constant({ delay: 60_000 });
  const fn = async (ctx: Context) => ctx.run(step, ctx.options({ retryPolicy, timeout: 60_000 }));
  const { resonate } = world.client({ register: { fn } });

  await expect(resonate.run("w", "fn")).rejects.toThrow("attempt 1");
});

test("errors of a class that is named are not tried again", async () => {
  const step = (ctx: Context) => {
    attempts.push(ctx.info.attempt);
    throw new TypeError("final");
  };
  const options = { retryPolicy: atOnce(5), nonRetryableErrors: [TypeError] };
  const fn = async (ctx: Context) => ctx.run(step, ctx.options(options));
  const { resonate } = world.client({ register: { fn } });

  await expect(resonate.run("w", "fn")).rejects.toThrow("final");
  expect(attempts).toEqual([1]);
});

test.each([
  [
    "a generator",
    // biome-ignore lint/correctness/useYield: its style is what matters here.
    function* (_: Context): Generator<unknown, void, unknown> {
      attempts.push(1);
      throw new Error("once");
    },
  ],
  [
    "an async workflow",
    async (ctx: Context) => {
      attempts.push(1);
      await ctx.run(() => 1);
      throw new Error("once");
    },
  ],
])("%s is never tried again, and a policy for it is said to be ignored", async (_name, child) => {
  const fn = async (ctx: Context) => ctx.run(child, ctx.options({ retryPolicy: atOnce(5) }));
  const { resonate, logged } = world.client({ register: { fn } });

  await expect(resonate.run("w", "fn")).rejects.toThrow("once");
  expect(attempts).toEqual([1]);
  expect(logged.map(({ message }) => message)).toEqual([
    expect.stringContaining("The retry policy of 'w:0' is ignored"),
  ]);
});

test("a plain function that was registered is tried again by default, a generator is not", async () => {
  const waits: number[] = [];
  // Watches the policy that applies when nobody says one.
  const { next } = Exponential.prototype;
  Exponential.prototype.next = function (attempt: number) {
    waits.push(next.call(this, attempt) ?? -1);
    return 0;
  };
  try {
    const { resonate } = world.client({ register: { step: fails(2) } });

    expect(await resonate.run("w", "step")).toBe(3);
    expect(waits).toEqual([2_000, 4_000]);
  } finally {
    Exponential.prototype.next = next;
  }
});

test("the policy of a call travels to the process that runs it", async () => {
  const caller = world.client({ group: "callers" });
  world.client({ group: "workers", register: { step: fails(9) } });
  const retryPolicy: RetryPolicy = atOnce(1);
  const options = caller.resonate.options({ retryPolicy, target: "workers" });

  await expect(caller.resonate.rpc("w", "step", options)).rejects.toThrow("attempt 2");
  expect(attempts).toEqual([1, 2]);
});

test("a policy that throws ends the pass, and the log says why", async () => {
  const retryPolicy: RetryPolicy = {
    next() {
      throw new Error("no idea when");
    },
    encode: () => ({ type: "mine", data: {} }),
  };
  const step = async () => {
    throw new Error("failed");
  };
  const fn = async (ctx: Context) => ctx.run(step, ctx.options({ retryPolicy }));
  const { resonate, logs } = world.client({ register: { fn } });
  await resonate.beginRun("w", "fn");

  expect(await logs("error", /'w' could not go on.*no idea when/)).toBeDefined();
});

test("a step that gives a thenable which throws has failed", async () => {
  const broken = {
    // biome-ignore lint/suspicious/noThenProperty: such things are what this is about.
    then() {
      throw new Error("broken thenable");
    },
  };
  const step = () => broken;
  const fn = async (ctx: Context) => ctx.run(step, ctx.options({ retryPolicy: atOnce(0) }));
  const { resonate } = world.client({ register: { fn } });

  await expect(resonate.run("w", "fn")).rejects.toThrow("broken thenable");
});
