import { beforeEach, describe, expect, test } from "vitest";
import { type Context, type Durable, PromiseCanceledError } from "../../src/index.ts";
import { gate, openWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});

interface Seen {
  readonly id: string;
  readonly state: string;
}

async function states(origin: string): Promise<Record<string, string>> {
  const records = (await world.records(origin)) as Seen[];
  return Object.fromEntries(records.map(({ id, state }) => [id, state]));
}

/** A leaf that ends only when its signal fires. */
function hanging() {
  const started = gate();
  const stopped = gate<unknown>();
  const leaf = (ctx: Context) =>
    new Promise<string>((_, reject) => {
      started.resolve();
      ctx.signal.addEventListener("abort", () => {
        stopped.resolve(ctx.signal.reason);
        reject(ctx.signal.reason);
      });
    });
  return { leaf, started: started.promise, stopped: stopped.promise };
}

describe("losers, when that is asked for", () => {
  const body = function* (ctx: Context): Durable<unknown> {
    const parts = [
      ctx.promise(),
      ctx.rpc("remote"),
      ctx.rpc("remote", ctx.options({ id: "shared" })),
      ctx.all([ctx.promise(), 1]),
    ];
    const detached = yield* ctx.detached("remote");
    return [yield* ctx.race([...parts, detached], { cancelLosers: true }), detached.id];
  };

  test("are canceled when the race is decided, but not what lives on its own", async () => {
    const { resonate, network } = world.client({ register: { body } });
    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "body");
    await parked;

    await resonate.promises.resolveValue("w:0", "first");
    await until(async () => (await states("w"))["w:3"] === "rejected_canceled");
    await resonate.promises.resolveValue("shared");

    const [winner, detached] = await handle.result();
    expect(winner).toBe("first");
    expect(await states("w")).toMatchObject({
      "w:1": "rejected_canceled",
      "w:3": "rejected_canceled",
      [detached]: "pending",
    });
    expect(await states("shared")).toEqual({ shared: "resolved" });
  });

  test("that run here have their signal fired, those below them too, and are not waited for", async () => {
    const { leaf, started, stopped } = hanging();
    let entered = 0;
    const outer = function* (ctx: Context): Durable<unknown> {
      entered += 1;
      return yield* ctx.run(leaf);
    };
    const { resonate } = world.client({
      register: {
        body: async (ctx: Context) =>
          ctx.race([ctx.run(outer), ctx.promise()], { cancelLosers: true }),
      },
    });
    const handle = await resonate.beginRun("w", "body");
    await started;
    await resonate.promises.resolveValue("w:1", "won");

    expect(await handle.result()).toBe("won");
    expect(await stopped).toBeInstanceOf(PromiseCanceledError);
    expect(entered).toBe(1);
    expect(await states("w")).toMatchObject({
      "w:0": "rejected_canceled",
      "w:0.0": "rejected_canceled",
    });
  });

  test("are canceled by whoever goes on, when a worker is killed in between", async () => {
    const first = world.client({ pid: "first", register: { body } });
    const dead = gate();
    first.network.intercept = (request) => {
      if (request.kind !== "promise.settle") return undefined;
      first.network.kill();
      dead.resolve();
      return new Promise<never>(() => {});
    };
    const parked = first.network.parked("w");
    await first.resonate.beginRun("w", "body");
    await parked;
    const second = world.client({ pid: "second", register: { body } });
    await second.network.init();
    await second.resonate.promises.resolveValue("shared");
    await dead.promise;

    const [winner] = await (await second.resonate.get("w")).result();
    expect(winner).toBeUndefined();
    expect(await states("w")).toMatchObject({
      "w:0": "rejected_canceled",
      "w:1": "rejected_canceled",
    });
  });

  test("stay under way when it is not asked for", async () => {
    const { resonate, network } = world.client({
      register: {
        *body(ctx: Context): Durable<unknown> {
          const slow = ctx.promise();
          const winner = yield* ctx.race([slow, "now"]);
          return [winner, yield* slow.future];
        },
      },
    });
    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "body");
    await parked;
    await resonate.promises.resolveValue("w:0", "later");

    expect(await handle.result()).toEqual(["now", "later"]);
  });
});

describe("canceling from outside", () => {
  const tree = function* (ctx: Context): Durable<unknown> {
    yield* ctx.detached("remote");
    ctx.rpc("remote", ctx.options({ id: "shared" }));
    return yield* ctx.run(function* inner(below: Context): Durable<unknown> {
      return yield* below.all([below.rpc("remote"), below.sleep(60_000)]);
    });
  };

  test("reaches everything below, but neither explicit ids nor detached calls", async () => {
    const { resonate, network } = world.client({ register: { tree } });
    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "tree");
    await parked;

    await handle.cancel();

    await expect(handle.result()).rejects.toMatchObject({
      code: "PROMISE_CANCELED",
      kind: "RejectedCanceled",
      promiseId: "w",
    });
    const { w, ...below } = await states("w");
    const detached = Object.keys(below).find((id) => id.startsWith("w:d"));
    expect(below).toEqual({
      [String(detached)]: "pending",
      "w:2": "rejected_canceled",
      "w:2.0": "rejected_canceled",
      "w:2.1": "rejected_canceled",
    });
    expect(await states("shared")).toEqual({ shared: "pending" });
  });

  test("stops the promise alone when asked to, and says whether it did", async () => {
    const { resonate, network } = world.client({ register: { tree } });
    const parked = network.parked("w");
    await resonate.beginRun("w", "tree");
    await parked;

    expect(await resonate.cancel("w", { tree: false })).toBe(true);
    expect(await states("w")).toMatchObject({ w: "rejected_canceled", "w:2.0": "pending" });
    expect(await resonate.cancel("w")).toBe(true);
    expect(await states("w")).toMatchObject({ "w:2.0": "rejected_canceled" });

    await resonate.promises.createValue("done", Date.now() + 60_000);
    await resonate.promises.resolveValue("done");
    expect(await resonate.cancel("done")).toBe(false);
    await expect(resonate.cancel("nobody")).rejects.toMatchObject({ status: 404 });
  });

  test("fires the signal of what runs, and what it does afterwards is not recorded", async () => {
    const { leaf, started, stopped } = hanging();
    const { resonate } = world.client({
      register: { body: async (ctx: Context) => ctx.run(leaf) },
    });
    const handle = await resonate.beginRun("w", "body");
    await started;

    await handle.cancel();

    expect(await stopped).toBeInstanceOf(PromiseCanceledError);
    expect(await states("w")).toEqual({ w: "rejected_canceled", "w:0": "rejected_canceled" });
  });

  test("pages through a wide tree", async () => {
    const { resonate, network } = world.client({
      register: {
        *wide(ctx: Context): Durable<unknown> {
          return yield* ctx.all(Array.from({ length: 1_200 }, () => ctx.promise()));
        },
      },
    });
    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "wide");
    await parked;

    await handle.cancel();

    const open = await resonate.promises.search({ state: "pending", limit: 1 });
    expect(open.promises).toEqual([]);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
