/** Ten workflows, each crashed before and after every request that its worker sends. */
import type { Context, Durable } from "@resonate-ts/sdk";
import { type CrashOptions, crashAtEveryStep, type Lab } from "@resonate-ts/testing";
import { describe, expect, test } from "vitest";

const hour = 3_600_000;
const never = { nonRetryableErrors: [Error] };

async function double(_ctx: Context, n: number): Promise<number> {
  return 2 * n;
}

function* sequential(ctx: Context): Durable<number> {
  let sum = 0;
  for (let n = 0; n < 6; n++) sum += yield* ctx.run(double, n);
  return sum;
}

async function fanOut(ctx: Context, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => ctx.run(double, n)));
}

async function inner(ctx: Context, n: number): Promise<number> {
  return (await ctx.run(double, n)) + (await ctx.run(double, n + 1));
}

function* nested(ctx: Context): Durable<number> {
  const first = yield* ctx.beginRun(inner, 1);
  const second = yield* ctx.run(inner, 10);
  return second + (yield* first);
}

function* factorial(ctx: Context, n: number): Durable<number> {
  return n <= 1 ? 1 : n * (yield* ctx.rpc<number>("factorial", n - 1));
}

/** The same sub-result is asked for three times. */
function* keyed(ctx: Context): Durable<number[]> {
  const options = ctx.options({ id: "shared" });
  const first = yield* ctx.beginRpc<number>("double", 21, options);
  const second = yield* ctx.rpc<number>("double", 21, options);
  return [yield* first, second, yield* ctx.rpc<number>("double", 21, options)];
}

/** Whether it slept for as long as it wanted to. */
async function sleeper(ctx: Context): Promise<boolean> {
  const before = await ctx.date.now();
  await ctx.sleep(hour);
  await ctx.run(double, 1);
  await ctx.sleep({ for: 60_000 });
  return (await ctx.date.now()) - before >= hour + 60_000;
}

function* approval(ctx: Context): Durable<string> {
  const asked = yield* ctx.promise<string>({ data: "may I?" });
  yield* ctx.run(double, 1);
  return `${yield* asked} and done`;
}

async function approve(lab: Lab): Promise<void> {
  await lab.created("w:0");
  await lab.client.promises.resolveValue("w:0", "approved");
}

function* detaching(ctx: Context): Durable<string> {
  yield* ctx.detached("double", 1);
  const { id } = yield* ctx.detached("double", 2);
  yield* ctx.run(double, 3);
  return id;
}

/** Fails until its third attempt, in whatever process. */
function* retrying(ctx: Context): Durable<string> {
  return yield* ctx.run(flaky);
}

async function flaky(ctx: Context): Promise<string> {
  if (ctx.info.attempt < 3) throw new Error("not yet");
  return "third time lucky";
}

async function book(_ctx: Context, what: string): Promise<string> {
  if (what === "car") throw new Error("no cars");
  return `${what} booked`;
}

async function cancel(_ctx: Context, what: string): Promise<string> {
  return `${what} cancelled`;
}

/** Undoes what was done, in reverse order, when a step fails for good. */
async function saga(ctx: Context): Promise<string[]> {
  const done: string[] = [];
  try {
    for (const what of ["flight", "hotel", "car"]) {
      await ctx.run(book, what, ctx.options(never));
      done.push(what);
    }
    return done;
  } catch (error) {
    const undone: string[] = [];
    for (const what of done.reverse()) undone.push(await ctx.run(cancel, what));
    return [...undone, error instanceof Error ? error.message : "not an error"];
  }
}

const workflows: readonly [
  string,
  Parameters<typeof crashAtEveryStep>[0],
  unknown,
  CrashOptions,
][] = [
  ["a sequence", sequential, 30, {}],
  ["a fan-out", fanOut, [0, 2, 4, 6, 8], { args: [5] }],
  ["workflows in a workflow", nested, 48, {}],
  ["recursion by rpc", factorial, 120, { args: [5] }],
  ["a shared sub-result", keyed, [42, 42, 42], { register: { double } }],
  ["sleeps", sleeper, true, {}],
  ["a promise that others settle", approval, "approved and done", { outside: approve }],
  ["detached calls", detaching, expect.stringMatching(/^w:d/), { register: { double } }],
  ["retries", retrying, "third time lucky", {}],
  ["a saga", saga, ["hotel cancelled", "flight cancelled", "no cars"], {}],
];

describe.each([
  ["all extensions", {}],
  ["the base protocol", { extensions: [] }],
  ["no warm executions", { resonate: { warmExecutionsMax: 0 } }],
  ["another worker, and the first one gone for a while", { workers: 2, restartAfter: "10s" }],
] satisfies [string, CrashOptions][])("with %s", (_name, how) => {
  test.each(workflows)(
    "%s is the same after a crash at any point",
    async (_what, workflow, result, options) => {
      const { outcome, points } = await crashAtEveryStep(workflow, { ...options, ...how });

      expect(outcome).toEqual({ kind: "value", value: result });
      expect(points.length).toBeGreaterThan(3);
    },
  );
});
