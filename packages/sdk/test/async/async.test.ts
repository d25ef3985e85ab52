import { afterEach, describe, expect, test } from "vitest";
import {
  type Context,
  DurablePromise,
  Exponential,
  type Info,
  Never,
  Resonate,
} from "../../src/async.ts";

const clients: Resonate[] = [];
function client(): Resonate {
  const resonate = new Resonate({ logLevel: "error" });
  clients.push(resonate);
  return resonate;
}
afterEach(async () => {
  for (const resonate of clients.splice(0)) await resonate.stop();
});

// Programs as they are written for the official entry of this name.
async function greet(info: Info, name: string): Promise<string> {
  return `Hello, ${name} (${info.func} ${info.attempt})`;
}

async function fanOut(ctx: Context, names: string[]): Promise<string[]> {
  const started = names.map((name) => ctx.run(greet, name));
  return Promise.all(started);
}

async function order(ctx: Context, id: string): Promise<object> {
  const approved = ctx.promise<boolean>({ timeout: 60_000, tags: { kind: "approval" } });
  const notice = await ctx.detached("notify", approved.id, ctx.options({ tags: { for: id } }));
  await ctx.sleep(1);
  const [now, random] = [await ctx.date.now(), await ctx.math.random()];
  return { approved: await approved, notice: notice.id, timely: now > 0, random: random < 1 };
}

async function notify(ctx: Context, id: string): Promise<string> {
  await ctx.run(async (_: Info) => "told");
  return id;
}

describe("the eager flavour", () => {
  test("gives a handle as soon as a call is on record", async () => {
    const resonate = client();
    const fn = resonate.register(fanOut);

    const handle = await resonate.run("a", "fanOut", ["x", "y"]);
    expect(await handle.result()).toEqual(["Hello, x (greet 1)", "Hello, y (greet 1)"]);
    expect(await handle.done()).toBe(true);

    const again = await fn.run("a", []);
    expect((await again.result()).length).toBe(2);
    const remote = await fn.rpc("b", ["z"]);
    expect(await remote.result()).toEqual(["Hello, z (greet 1)"]);
    expect(await (await resonate.get("b")).result()).toEqual(["Hello, z (greet 1)"]);
  });

  test("gives promises for detached calls, external promises and timers", async () => {
    const resonate = client();
    resonate.register("notify", notify);
    const registered = resonate.register("order", order);

    const handle = await registered.run("o", "o-1", registered.options({ timeout: 60_000 }));
    const result = await settleWhenThere(resonate, handle);

    expect(result).toMatchObject({ approved: true, timely: true, random: true });
    const notice = (result as { notice: string }).notice;
    expect(notice).toMatch(/^o:d[0-9a-f]{14}$/);
    expect(await (await resonate.get(notice)).result()).toBe("o:0");
  });

  test("has operations that are promises with an id, retried as elsewhere", async () => {
    const resonate = client();
    let attempts = 0;
    resonate.register("flaky", async (ctx: Context) => {
      const run = ctx.run(
        (info: Info) => {
          attempts += 1;
          if (info.attempt < 3) throw new Error("not yet");
          return `${info.id} ${ctx.timeoutAt === info.timeoutAt}`;
        },
        ctx.options({ retryPolicy: new Exponential({ delay: 0 }) }),
      );
      expect(run).toBeInstanceOf(DurablePromise);
      expect(run.id).toBe("f:0");
      const failed = ctx.run(
        () => {
          throw new TypeError("no");
        },
        ctx.options({ retryPolicy: new Never() }),
      );
      return [await run, await failed.catch((error: Error) => error.name)];
    });

    const handle = await resonate.run("f", "flaky");
    expect(await handle.result()).toEqual(["f:0 true", "TypeError"]);
    expect(attempts).toBe(3);
  });

  test("lets a panic and a failed assertion end the pass, and combines as the main entry does", async () => {
    const resonate = client();
    resonate.register("sum", async (ctx: Context, items: number[]) => {
      ctx.assert(items.length > 0, "nothing to add");
      ctx.panic(items.length > 100, "too much");
      const squares = await ctx.map(items, (_: Info, n: number) => n * n, { concurrency: 2 });
      const [sum] = await ctx.all([ctx.run((_: Info) => squares.reduce((a, b) => a + b, 0))]);
      return sum;
    });

    expect(await (await resonate.run("s", "sum", [1, 2, 3])).result()).toBe(14);
  });
});

async function settleWhenThere(
  resonate: Resonate,
  handle: { result(): Promise<unknown> },
): Promise<unknown> {
  for (;;) {
    const found = await resonate.promises.search({ tags: { kind: "approval" } });
    const [approval] = found.promises;
    if (approval) {
      await resonate.promises.resolveValue(approval.id, true);
      return handle.result();
    }
  }
}
