/** The official SDK on both ends of our server. */
import type { Context } from "@resonatehq/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { House } from "./house.ts";

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

// biome-ignore lint/suspicious/noExplicitAny: what the official SDK hands back into a generator has no one type.
function* factorial(ctx: Context, n: number): Generator<unknown, number, any> {
  if (n <= 1) return 1;
  const rest: number = yield* ctx.rpc<number>(
    "factorial",
    n - 1,
    ctx.options({ target: "factorial" }),
  );
  return n * rest;
}

describe("with the official SDK", () => {
  test("two workers compute a factorial by calling each other, for a client elsewhere", async () => {
    const ran = [0, 0];
    for (const at of [0, 1]) {
      house.official("factorial").register("factorial", function* (ctx: Context, n: number) {
        ran[at] = (ran[at] ?? 0) + 1;
        return yield* factorial(ctx, n);
      });
    }
    const client = house.official("client");

    const result = await client.rpc<number>(
      "f10",
      "factorial",
      10,
      client.options({ target: "factorial" }),
    );

    expect(result).toBe(3_628_800);
    expect(ran.every((runs) => runs > 0)).toBe(true);
    expect(await client.rpc("f10", "factorial", 0, client.options({ target: "factorial" }))).toBe(
      3_628_800,
    );
  });

  test("a workflow runs leaves in order and gives their results back", async () => {
    const worker = house.official("leaves");
    const seen: number[] = [];
    const leaf = async (_: Context, n: number) => {
      seen.push(n);
      return n * 2;
    };
    const workflow = worker.register("leaves", function* (ctx: Context, n: number) {
      const first: number = yield* ctx.run(leaf, n);
      const second: number = yield* ctx.run(leaf, first);
      return [first, second, yield* ctx.math.random(), yield* ctx.date.now()];
    });

    const [first, second, random, now] = await workflow.run("leaves-1", 3);

    expect([first, second, seen]).toEqual([6, 12, [3, 6]]);
    expect([typeof random, typeof now]).toEqual(["number", "number"]);
  });

  test("children that run at once are all awaited", async () => {
    house.official("squares").register("square", async (_: Context, n: number) => n * n);
    const worker = house.official("fan");
    const workflow = worker.register("fan", function* (ctx: Context, n: number) {
      const futures = [];
      for (let at = 0; at < n; at++) {
        futures.push(yield* ctx.beginRpc<number>("square", at, ctx.options({ target: "squares" })));
      }
      let sum = 0;
      for (const future of futures) sum += yield* future;
      return sum;
    });

    expect(await workflow.run("fan-1", 20)).toBe(2_470);
  });

  test("a sleep ends, not before its time", async () => {
    const worker = house.official("sleepers");
    const workflow = worker.register("sleeper", function* (ctx: Context) {
      yield* ctx.sleep(100);
      return "awake";
    });
    const start = Date.now();

    expect(await workflow.run("sleep-1")).toBe("awake");

    expect(Date.now() - start).toBeGreaterThanOrEqual(100);
  });

  test("a promise waits for someone outside to settle it", async () => {
    const worker = house.official("people");
    const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
    const workflow = worker.register("approval", function* (ctx: Context) {
      const answer = yield* ctx.promise<string>();
      ask(answer.id);
      return `it was ${yield* answer}`;
    });
    const handle = await workflow.beginRun("approval-1");
    const data = Buffer.from(JSON.stringify("approved")).toString("base64");

    await house.official("outside").promises.resolve(await asked, { data });

    expect(await handle.result()).toBe("it was approved");
  });

  test("a detached call goes on by itself", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<string>();
    house.official("letters").register("letter", async (_: Context, text: string) => arrive(text));
    const worker = house.official("writers");
    const workflow = worker.register("writer", function* (ctx: Context) {
      yield* ctx.detached("letter", "hello", ctx.options({ target: "letters" }));
      return "sent";
    });

    expect(await workflow.run("detached-1")).toBe("sent");

    expect(await arrived).toBe("hello");
  });

  test("a child with an id of its own is awaited from another tree", async () => {
    let runs = 0;
    house.official("shared").register("shared", async (_: Context, n: number) => {
      runs++;
      return n + 1;
    });
    const worker = house.official("sharers");
    const workflow = worker.register("sharer", function* (ctx: Context) {
      const options = ctx.options({ target: "shared" });
      // Its types leave the id out; its code and its documentation have it.
      const withId = Object.assign(options, { id: "the-shared-one" });
      return yield* ctx.rpc<number>("shared", 41, withId);
    });

    const results = await Promise.all([workflow.run("sharer-1"), workflow.run("sharer-2")]);

    expect([results, runs]).toEqual([[42, 42], 1]);
  });

  test("what a function throws is thrown to who asked", async () => {
    house.official("failures").register("fail", function* (ctx: Context) {
      yield* ctx.date.now();
      throw new Error("out of paper");
    });
    const client = house.official("client");

    await expect(
      client.rpc("fail-1", "fail", client.options({ target: "failures" })),
    ).rejects.toThrow("out of paper");
  });

  test("a result can be had later, by id", async () => {
    const worker = house.official("later");
    await worker.register("later", async () => "done").run("later-1");

    const handle = await house.official("client").get<string>("later-1");

    expect([await handle.done(), await handle.result()]).toEqual([true, "done"]);
  });

  test("a workflow outlives the server: its worker comes back and goes on", async () => {
    const worker = house.official("patient");
    const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
    const workflow = worker.register("patience", function* (ctx: Context) {
      const answer = yield* ctx.promise<string>();
      ask(answer.id);
      return `it was ${yield* answer}`;
    });
    await workflow.beginRun("patience-1");
    const id = await asked;

    await house.restart();
    const client = house.official("client");
    await client.promises.resolve(id, { data: Buffer.from('"worth it"').toString("base64") });

    expect(await (await client.get("patience-1")).result()).toBe("it was worth it");
  });

  test("a schedule calls its function", async () => {
    const { promise: fired, resolve: fire } = Promise.withResolvers<string>();
    const worker = house.official("clock");
    worker.register("strike", async (_: Context, text: string) => fire(text));

    const schedule = await worker.schedule(
      "every-second",
      "* * * * * *",
      "strike",
      "bong",
      worker.options({ target: "clock" }),
    );

    expect(await fired).toBe("bong");
    await schedule.delete();
  });
});
