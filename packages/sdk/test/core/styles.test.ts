import { beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/index.ts";
import { openWorld, type World } from "./world.ts";

let world: World;
let calls: string[] = [];
beforeEach(async () => {
  world = await openWorld();
  calls = [];
});

const double = (_: Context, n: number) => {
  calls.push(`double ${n}`);
  return n * 2;
};
const slow = async (_: Context, n: number) => {
  calls.push(`slow ${n}`);
  await new Promise((resolve) => setImmediate(resolve));
  return n + 1;
};
const fail = () => {
  calls.push("fail");
  throw new TypeError("no");
};
const remote = (_: Context, n: number) => n + 100;

// biome-ignore lint/suspicious/noExplicitAny: the return type that programs for the official SDK write.
type Official<T> = Generator<any, T, any>;

const generator = {
  *fanOut(ctx: Context, items: number[]): Official<number> {
    const futures = items.map((n) => ctx.run(double, n));
    let sum = 0;
    for (const future of futures) sum += yield* future;
    return sum + (yield* ctx.run(slow, 1));
  },
  *begin(ctx: Context): Official<number> {
    const a = yield* ctx.beginRun(double, 1);
    const b = yield* ctx.beginRpc<number>("remote", 2);
    return (yield* a) + (yield* b);
  },
  *askRemote(ctx: Context): Official<string> {
    const a = yield* ctx.run(double, 1);
    const b = ctx.rpc<number>("remote", a);
    const c = yield* ctx.run(slow, 10);
    return `${a} ${yield* b} ${c}`;
  },
  *recover(ctx: Context): Official<string> {
    try {
      yield* ctx.run(fail, ctx.options({ nonRetryableErrors: [TypeError] }));
      return "no";
    } catch (error) {
      return `caught ${(error as Error).name} ${(error as Error).message}`;
    }
  },
  // biome-ignore lint/correctness/useYield: it waits for nothing, which is the point.
  *leaveBehind(ctx: Context): Official<string> {
    ctx.run(slow, 5);
    ctx.rpc("remote", 1);
    return "done";
  },
  *sleepy(ctx: Context): Official<string> {
    yield* ctx.sleep(1);
    yield* ctx.sleep({ for: 1 });
    yield* ctx.sleep({ until: new Date(0) });
    return "awake";
  },
  *nested(ctx: Context): Official<number> {
    return (yield* ctx.run(generator.fanOut, [1, 2])) + (yield* ctx.run(generator.begin));
  },
  *mixed(ctx: Context): Official<number> {
    return (yield* ctx.run(asynchronous.fanOut, [1, 2])) + (yield* ctx.run(asynchronous.begin));
  },
};

const asynchronous = {
  async fanOut(ctx: Context, items: number[]): Promise<number> {
    const values = await Promise.all(items.map((n) => ctx.run(double, n)));
    return values.reduce((a, b) => a + b, 0) + (await ctx.run(slow, 1));
  },
  async begin(ctx: Context): Promise<number> {
    const a = ctx.beginRun(double, 1);
    const b = ctx.beginRpc<number>("remote", 2);
    return (await a) + (await b);
  },
  async askRemote(ctx: Context): Promise<string> {
    const a = await ctx.run(double, 1);
    const b = ctx.rpc<number>("remote", a);
    const c = await ctx.run(slow, 10);
    return `${a} ${await b} ${c}`;
  },
  async recover(ctx: Context): Promise<string> {
    try {
      await ctx.run(fail, ctx.options({ nonRetryableErrors: [TypeError] }));
      return "no";
    } catch (error) {
      return `caught ${(error as Error).name} ${(error as Error).message}`;
    }
  },
  async leaveBehind(ctx: Context): Promise<string> {
    ctx.run(slow, 5);
    ctx.rpc("remote", 1);
    return "done";
  },
  async sleepy(ctx: Context): Promise<string> {
    await ctx.sleep(1);
    await ctx.sleep({ for: 1 });
    await ctx.sleep({ until: new Date(0) });
    return "awake";
  },
  async nested(ctx: Context): Promise<number> {
    return (await ctx.run(asynchronous.fanOut, [1, 2])) + (await ctx.run(asynchronous.begin));
  },
  async mixed(ctx: Context): Promise<number> {
    return (await ctx.run(generator.fanOut, [1, 2])) + (await ctx.run(generator.begin));
  },
};

const styles = { generator, async: asynchronous };

describe.each(["generator", "async"] as const)("%s functions", (style) => {
  const functions = styles[style];

  test("fan out and in", async () => {
    const { resonate } = world.client({ register: functions });

    expect(await resonate.run("w", "fanOut", [1, 2, 3])).toBe(14);
    expect(calls).toEqual(["double 1", "double 2", "double 3", "slow 1"]);
  });

  test("begin something and wait for it later", async () => {
    const { resonate } = world.client({
      register: { ...functions, remote },
      defaultTarget: "default",
    });

    expect(await resonate.run("w", "begin")).toBe(104);
  });

  test("block on a remote promise, then go on without repeating finished steps", async () => {
    const { resonate, network } = world.client({ register: functions });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "askRemote");
    await parked;
    expect(calls).toEqual(["double 1", "slow 10"]);
    await resonate.promises.resolveValue("w:1", 7);

    expect(await handle.result()).toBe("2 7 11");
    expect(calls).toEqual(["double 1", "slow 10"]);
  });

  test("a rejected step throws where it is awaited", async () => {
    const { resonate } = world.client({ register: functions });

    expect(await resonate.run("w", "recover")).toBe("caught TypeError no");
    expect(calls).toEqual(["fail"]);
  });

  test("a function finishes only after what it started and never awaited", async () => {
    const { resonate, network } = world.client({ register: functions });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "leaveBehind");
    await parked;
    expect(await handle.done()).toBe(false);
    expect((await resonate.promises.get("w:0")).state).toBe("resolved");
    await resonate.promises.resolveValue("w:1", 0);

    expect(await handle.result()).toBe("done");
  });

  test("sleep, in three forms", async () => {
    const { resonate } = world.client({ register: functions });

    expect(await resonate.run("w", "sleepy")).toBe("awake");
  });

  test("nest", async () => {
    const { resonate } = world.client({
      register: { ...functions, remote },
      defaultTarget: "default",
    });

    expect(await resonate.run("w", "nested")).toBe(8 + 104);
  });

  test("call the other style", async () => {
    const { resonate } = world.client({
      register: { ...functions, remote },
      defaultTarget: "default",
    });

    expect(await resonate.run("w", "mixed")).toBe(8 + 104);
  });
});

describe("both styles leave the same record", () => {
  test.each(["fanOut", "begin", "recover", "sleepy", "nested"] as const)("%s", async (name) => {
    const other = await openWorld();
    const left = world.client({
      pid: "p",
      register: { ...generator, remote },
      defaultTarget: "default",
    });
    const right = other.client({
      pid: "p",
      register: { ...asynchronous, remote },
      defaultTarget: "default",
    });

    await left.resonate.run("w", name, [1, 2]);
    await right.resonate.run("w", name, [1, 2]);

    const stable = (records: unknown[]) => JSON.parse(JSON.stringify(records, withoutStacks));
    expect(stable(await world.records("w"))).toEqual(stable(await other.records("w")));
  });
});

test("a race between a parked and a local operation goes on with the local one", async () => {
  async function race(ctx: Context): Promise<number> {
    const first = await Promise.race([ctx.rpc<number>("nobody"), ctx.run(slow, 3)]);
    calls.push(`won ${first}`);
    return first;
  }
  const { resonate, network } = world.client({ register: { race } });

  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "race");
  await parked;
  expect(calls).toEqual(["slow 3", "won 4"]);
  await resonate.promises.resolveValue("w:0", 9);

  expect(await handle.result()).toBe(4);
});

test("an async workflow may do I/O of its own while nothing is parked", async () => {
  async function io(ctx: Context): Promise<number> {
    const a = await ctx.run(double, 1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return a + (await ctx.run(double, 2));
  }
  const { resonate, network } = world.client({ register: { io } });

  expect(await resonate.run("w", "io")).toBe(6);
  expect(network.summary("task.suspend")).toEqual([]);
});

test("a step that is started by a helper nobody awaits is waited for", async () => {
  async function helper(ctx: Context): Promise<string> {
    void (async () => {
      await ctx.run(double, 1);
      await ctx.run(double, 2);
    })();
    return "done";
  }
  const { resonate } = world.client({ register: { helper } });

  expect(await resonate.run("w", "helper")).toBe("done");
  expect(calls).toEqual(["double 1", "double 2"]);
  expect((await resonate.promises.get("w:1")).state).toBe("resolved");
});

test("a bare yield gives what yield* gives", async () => {
  function* bare(ctx: Context): Official<unknown[]> {
    const value: unknown = yield ctx.run(double, 1);
    const future: unknown = yield ctx.beginRun(double, 2);
    return [value, yield future];
  }
  const { resonate } = world.client({ register: { bare } });

  expect(await resonate.run("w", "bare")).toEqual([2, 4]);
});

test("a future may be awaited again, returned, and read for its state", async () => {
  function* again(ctx: Context): Official<unknown> {
    const future = yield* ctx.beginRun(double, 1);
    const states: string[] = [future.state];
    const values = [yield* future, yield* future];
    return [...values, ...states, future.state, future.value, future.id];
  }
  // biome-ignore lint/correctness/useYield: it waits for nothing, which is the point.
  function* returned(ctx: Context): Official<unknown> {
    return ctx.run(double, 4);
  }
  const { resonate } = world.client({ register: { again, returned } });

  const value = { kind: "value", value: 2 };
  expect(await resonate.run("w", "again")).toEqual([2, 2, "pending", "completed", value, "w:0"]);
  expect(await resonate.run("v", "returned")).toBe(8);
});

function withoutStacks(key: string, value: unknown): unknown {
  // Rejections carry stacks, which name the lines of the two styles.
  if (key !== "data" || typeof value !== "string") return value;
  const text = Buffer.from(value, "base64").toString();
  return text.replace(/"stack":"(\\.|[^"\\])*"/, "");
}
