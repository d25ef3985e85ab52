import type { Context, Durable } from "@resonate-ts/sdk";
import { beforeEach, expect, test } from "vitest";
import { crashAtEveryStep } from "../src/index.ts";

let outside = 0;
beforeEach(() => {
  outside = 0;
});

async function add(_ctx: Context, n: number): Promise<number> {
  outside += n;
  return n;
}

function* sound(ctx: Context): Durable<number> {
  return (yield* ctx.run(add, 1)) + (yield* ctx.run(add, 2));
}

test("a sound workflow is the same after a crash at any point", async () => {
  const report = await crashAtEveryStep(sound, { extensions: [] });

  expect(report).toEqual({
    outcome: { kind: "value", value: 3 },
    points: [
      "task.acquire w",
      "task.fence promise.create w:0",
      "task.fence promise.settle w:0",
      "task.fence promise.create w:1",
      "task.fence promise.settle w:1",
      "task.fulfill promise.settle w",
    ],
    runs: 13,
  });
});

test("a workflow that looks at the world on the side is found, with the points at which it shows", async () => {
  async function unsound(ctx: Context): Promise<number> {
    const before = outside;
    await ctx.run(add, 1);
    await ctx.run(add, 10);
    return before;
  }

  const crashing = crashAtEveryStep(unsound, {
    extensions: [],
    before: () => {
      outside = 0;
    },
  });

  await expect(crashing).rejects.toThrow(
    /^'unsound' is not the same after a crash:\n- crash before request 3 of 6, task\.fence promise\.settle w:0: it came to 1, not to 0\n/,
  );
});

test("a workflow that fails does so after a crash at any point", async () => {
  async function failing(ctx: Context): Promise<number> {
    await ctx.run(add, 1);
    throw new RangeError("too far");
  }

  const { outcome } = await crashAtEveryStep(failing);

  expect(outcome).toEqual({ kind: "error", error: "RangeError: too far" });
});

test("mocks and other functions are there in every run", async () => {
  function* caller(ctx: Context): Durable<number> {
    return (yield* ctx.rpc<number>("add", 1)) + (yield* ctx.run(add, 2));
  }

  const { outcome, points } = await crashAtEveryStep(caller, {
    register: { add },
    before: (lab) => lab.mock(add, async (_ctx, n) => n * 100),
    workers: 2,
    restartAfter: "30s",
  });

  expect(outcome).toEqual({ kind: "value", value: 300 });
  expect(points.length).toBeGreaterThan(3);
  expect(outside).toBe(0);
});
