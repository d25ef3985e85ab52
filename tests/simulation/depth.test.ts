/**
 * Deep recursion, long histories, long chains: right, and at a cost per step that stays the same. `LINKS=10000` makes
 * the chain as long as that.
 */
import type { Context, Durable } from "@resonate-ts/sdk";
import { openLab } from "@resonate-ts/testing";
import { expect, test } from "vitest";

/** A long run is not the place for the default of a test. */
const TIMEOUT_MS = 120_000;
const LINKS = Number(process.env.LINKS ?? 2_000);

function* factorial(ctx: Context, n: bigint): Durable<bigint> {
  return n <= 1n ? 1n : n * (yield* ctx.rpc<bigint>("factorial", n - 1n));
}

test(
  "recursion over 2,000 tasks is exact, with nothing entered more than once while nothing is lost",
  async () => {
    const lab = await openLab({
      workers: 2,
      register: { factorial },
      resonate: { warmExecutionsMax: 3_000 },
    });
    let expected = 1n;
    for (let n = 2n; n <= 2_000n; n++) expected *= n;

    expect(await lab.run("f", factorial, 2_000n)).toBe(expected);

    expect(lab.entered.size).toBe(2_000);
    expect([...lab.entered.values()].every((times) => times === 1)).toBe(true);
    await lab.close();
  },
  TIMEOUT_MS,
);

async function one(_ctx: Context, n: number): Promise<number> {
  return n;
}

function* generator(ctx: Context, steps: number): Durable<number> {
  let sum = 0;
  for (let n = 0; n < steps; n++) sum += yield* ctx.run(one, n);
  return sum;
}

async function asynchronous(ctx: Context, steps: number): Promise<number> {
  let sum = 0;
  for (let n = 0; n < steps; n++) sum += await ctx.run(one, n);
  return sum;
}

test.each([
  ["generator", generator],
  ["async", asynchronous],
])(
  "5,000 steps in a row cost as many requests each as 100 do (%s)",
  async (_style, workflow) => {
    const costs: number[] = [];
    for (const steps of [100, 5_000]) {
      const lab = await openLab({ register: { workflow } });
      expect(await lab.run("w", "workflow", steps)).toBe((steps * (steps - 1)) / 2);
      costs.push(lab.requests.exchanges / steps);
      expect([...lab.entered.values()].every((times) => times === 1)).toBe(true);
      await lab.close();
    }

    const [few = 0, many = 0] = costs;
    expect(many).toBeLessThanOrEqual(few);
  },
  TIMEOUT_MS,
);

test("a workflow that is taken up after 1,000 steps does none of them again, and asks for them in one go", async () => {
  const lab = await openLab({ workers: 1 });
  async function long(ctx: Context): Promise<number> {
    let sum = 0;
    for (let n = 0; n < 1_000; n++) sum += await ctx.run(one, n);
    await ctx.sleep(60_000);
    return sum + (await ctx.run(one, 1));
  }
  lab.mock("long", long);
  const handle = await lab.client.beginRpc("w", "long");
  await lab.idle();
  const [worker] = lab.workers;

  worker?.crash();
  worker?.start();
  lab.requests.clear();

  expect(await lab.until(handle.result())).toBe(499_501);
  expect(lab.entered.get("w")).toBe(2);
  expect(lab.entered.get("w:0")).toBe(1);
  expect(lab.requests.exchanges).toBeLessThan(20);
  await lab.close();
});

test(
  `a chain of ${LINKS} detached calls comes to its end`,
  async () => {
    const ends: string[] = [];
    function* link(ctx: Context, left: number): Durable<void> {
      if (left === 0) ends.push(ctx.id);
      else yield* ctx.detached("link", left - 1);
    }
    const lab = await openLab({ workers: 2, register: { link } });

    await lab.run("c", link, LINKS);
    await lab.idle();

    expect(ends).toHaveLength(1);
    expect(lab.entered.size).toBe(LINKS + 1);
    expect(await lab.server.tasks("suspended")).toEqual([]);
    await lab.close();
  },
  TIMEOUT_MS + LINKS * 20,
);
