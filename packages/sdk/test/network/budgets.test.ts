/** How many HTTP requests the usual shapes of work cost, counted at the HTTP client. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readSettings, serve } from "@resonate-ts/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Context, Resonate, silentLogger } from "../../src/index.ts";

/** Every request that is made in this process by the HTTP client of the SDK. */
const CHANNEL = "undici:request:create";

let requests = 0;
const count = () => {
  requests += 1;
};
let server: Awaited<ReturnType<typeof serve>>;
let resonate: Resonate;
beforeEach(async () => {
  const flags = { "server.port": "0", "storage.type": "memory", level: "error" };
  server = await serve(readSettings({ flags }));
  resonate = new Resonate({ url: server.url, extensions: true, logger: silentLogger });
  requests = 0;
  subscribe(CHANNEL, count);
});
afterEach(async () => {
  unsubscribe(CHANNEL, count);
  await resonate?.stop();
  await server.close();
});

const add = (_: Context, a: number, b: number) => a + b;
let entered = 0;

const generator = {
  *steps(ctx: Context, n: number): Generator<unknown, number, unknown> {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = yield* ctx.run(add, sum, 1);
    return sum;
  },
  *fanOut(ctx: Context, n: number): Generator<unknown, number, unknown> {
    const futures = Array.from({ length: n }, (_, i) => ctx.run(add, i, 0));
    let sum = 0;
    for (const future of futures) sum += yield* future;
    return sum;
  },
  *calls(ctx: Context, n: number): Generator<unknown, number, unknown> {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = yield* ctx.rpc<number>("add", sum, 1);
    return sum;
  },
  *remoteFanOut(ctx: Context, n: number): Generator<unknown, number, unknown> {
    entered += 1;
    const futures = Array.from({ length: n }, (_, i) => ctx.rpc<number>("late", i));
    let sum = 0;
    for (const future of futures) sum += yield* future;
    return sum;
  },
  *recursion(ctx: Context, n: number): Generator<unknown, number, unknown> {
    return n === 0 ? 0 : 1 + (yield* ctx.rpc<number>("recursion", n - 1));
  },
};

const asynchronous = {
  async steps(ctx: Context, n: number): Promise<number> {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = await ctx.run(add, sum, 1);
    return sum;
  },
  async fanOut(ctx: Context, n: number): Promise<number> {
    const values = await Promise.all(Array.from({ length: n }, (_, i) => ctx.run(add, i, 0)));
    return values.reduce((a, b) => a + b, 0);
  },
  async calls(ctx: Context, n: number): Promise<number> {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = await ctx.rpc<number>("add", sum, 1);
    return sum;
  },
  async remoteFanOut(ctx: Context, n: number): Promise<number> {
    entered += 1;
    const all = Array.from({ length: n }, (_, i) => ctx.rpc<number>("late", i));
    return (await Promise.all(all)).reduce((a, b) => a + b, 0);
  },
  async recursion(ctx: Context, n: number): Promise<number> {
    return n === 0 ? 0 : 1 + (await ctx.rpc<number>("recursion", n - 1));
  },
};

/** The `i`th child takes `i` times 20 ms. */
async function late(_: Context, i: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 20 * (i + 1)));
  return i;
}

describe.each([
  ["generators", generator],
  ["async functions", asynchronous],
] as const)("%s", (_style, functions) => {
  beforeEach(() => {
    entered = 0;
    for (const [name, fn] of Object.entries({ ...functions, add, late })) {
      resonate.register(name, fn as never);
    }
  });

  test("1,000 steps, one after the other, take 1,010 requests at most", async () => {
    expect(await resonate.run("w", "steps", 1_000)).toBe(1_000);

    expect(requests).toBeLessThanOrEqual(1_010);
  });

  test("1,000 steps at once take 8 requests at most", async () => {
    expect(await resonate.run("w", "fanOut", 1_000)).toBe(499_500);

    expect(requests).toBeLessThanOrEqual(8);
  });

  test("100 calls of others, one after the other, take two requests a call", async () => {
    expect(await resonate.run("w", "calls", 100)).toBe(100);

    expect(requests).toBeLessThanOrEqual(210);
  });

  test("100 children that finish 20 ms apart take two requests each, and their parent is entered once", async () => {
    expect(await resonate.run("w", "remoteFanOut", 100)).toBe(4_950);

    expect(requests).toBeLessThanOrEqual(215);
    expect(entered).toBe(1);
  });

  test("a recursion of 100 calls takes two requests a call", async () => {
    expect(await resonate.run("w", "recursion", 100)).toBe(100);

    expect(requests).toBeLessThanOrEqual(210);
  });
});
