import { beforeEach, describe, expect, test } from "vitest";
import { type Context, ResonateError } from "../../src/index.ts";
import { fenced } from "./engine-network.ts";
import { gate, openWorld, type World } from "./world.ts";

let world: World;
let calls: string[] = [];
beforeEach(async () => {
  world = await openWorld();
  calls = [];
});

const step = (_: Context, name: string) => {
  calls.push(name);
  return name;
};

describe("an id chosen by the program", () => {
  test("is one piece of work, however often and from wherever it is asked for", async () => {
    function* fn(ctx: Context) {
      const options = ctx.options({ id: "shared" });
      const first = yield* ctx.beginRun(step, "x", options);
      const second = yield* ctx.beginRun(step, "x", options);
      return [yield* first, yield* second, yield* ctx.run(inner)];
    }
    function* inner(ctx: Context): Generator<unknown, string, unknown> {
      return yield* ctx.run(step, "x", ctx.options({ id: "shared" }));
    }
    const { resonate } = world.client({ register: { fn } });

    expect(await resonate.run("w", "fn")).toEqual(["x", "x", "x"]);
    expect(await resonate.run("v", "fn")).toEqual(["x", "x", "x"]);
    expect(calls).toEqual(["x"]);
  });

  test("is the root of a tree of its own, with its first caller on record, and keeps its own deadline", async () => {
    const fn = async (ctx: Context) =>
      ctx.run(step, "x", ctx.options({ id: "shared", timeout: 3_600_000 }));
    const { resonate } = world.client({ register: { fn } });

    await resonate.run("w", "fn", resonate.options({ timeout: 60_000 }));

    const parent = await resonate.promises.get("w");
    const { tags, timeoutAt } = await resonate.promises.get("shared");
    expect(tags).toEqual({
      "resonate:scope": "local",
      "resonate:origin": "shared",
      "resonate:branch": "shared",
      "resonate:parent": "shared",
      "resonate:caller": "w",
    });
    expect(timeoutAt).toBeGreaterThan(parent.timeoutAt);
  });

  test("of dispatched work is joined while it is under way, by workflows and clients", async () => {
    const proceed = gate<string>();
    const started = gate();
    const work = async () => {
      calls.push("work");
      started.resolve();
      return proceed.promise;
    };
    const fn = async (ctx: Context) => ctx.rpc<string>("work", ctx.options({ id: "shared" }));
    const { resonate, network } = world.client({
      register: { fn, work },
      defaultTarget: "default",
    });

    const parked = network.parked("v");
    const one = await resonate.beginRun("w", "fn");
    await started.promise;
    const two = await resonate.beginRun("v", "fn");
    const three = resonate.rpc("shared", "work");
    await parked;
    proceed.resolve("done");

    expect(await Promise.all([one.result(), two.result(), three])).toEqual([
      "done",
      "done",
      "done",
    ]);
    expect(calls).toEqual(["work"]);
  });

  test("of a local call that is under way elsewhere cannot be joined, and the message says what to do", async () => {
    const started = gate();
    const proceed = gate<string>();
    const work = async () => {
      started.resolve();
      return proceed.promise;
    };
    const fn = async (ctx: Context) => ctx.run(work, ctx.options({ id: "shared" }));
    const { resonate, logged } = world.client({ register: { fn } });
    const one = await resonate.beginRun("w", "fn");
    await started.promise;

    const two = world.client({ register: { fn } });
    const refused = two.network.answered(({ request }) => request.kind === "promise.get");
    await two.resonate.beginRun("v", "fn");
    await refused;
    await new Promise((resolve) => setImmediate(resolve));

    expect(two.logged.map(({ message }) => message)).toEqual([
      expect.stringContaining("'shared' is under way as a local call of 'w'"),
    ]);
    proceed.resolve("done");
    expect(await one.result()).toBe("done");
    expect(logged).toEqual([]);
  });

  test("of a local call is taken over by the next process that holds the caller's task", async () => {
    const reached = gate();
    async function work() {
      calls.push("work");
      if (calls.length > 1) return "done";
      reached.resolve();
      return new Promise<string>(() => {});
    }
    const fn = async (ctx: Context) => ctx.run(work, ctx.options({ id: "shared" }));
    const first = world.client({ register: { fn } });
    await first.resonate.beginRun("w", "fn");
    await reached.promise;
    const second = world.client({ register: { fn } });
    await second.resonate.promises.get("w");
    await second.network.init();
    first.network.kill();

    expect(await (await second.resonate.get("w")).result()).toBe("done");
    expect(calls).toEqual(["work", "work"]);
  });

  test("that cannot be an id is refused where it is given", async () => {
    const { resonate } = world.client({ register: { step } });

    await expect(resonate.run("a:b", "step", "x")).rejects.toThrow(/'a:b' must not contain ':'/);
    await expect(resonate.rpc("", "step", "x")).rejects.toBeInstanceOf(ResonateError);
  });
});

describe("an id that names other work already", () => {
  const work = async (_: Context, n: number) => {
    calls.push(`work ${n}`);
    return n;
  };
  const other = async () => "other";
  const named = { id: "named", onConflict: "error" } as const;
  const codeOf = async (outcome: Promise<unknown>) => {
    try {
      return await outcome;
    } catch (error) {
      return (error as ResonateError).code;
    }
  };

  test("is joined all the same, unless an error is asked for; what is the same is joined then, too", async () => {
    const { resonate } = world.client({ register: { work, other }, defaultTarget: "default" });
    await resonate.rpc("named", "work", 1);
    const strict = resonate.options({ onConflict: "error" });

    const outcomes = [
      resonate.rpc("named", "work", 2),
      resonate.rpc("named", "work", 1, strict),
      resonate.run("named", "work", 1, strict),
      codeOf(resonate.rpc("named", "work", 2, strict)),
      codeOf(resonate.run("named", "work", 2, strict)),
      codeOf(resonate.rpc("named", "other", strict)),
      codeOf(resonate.rpc("named", "work", 1, resonate.options({ ...strict.fields, version: 2 }))),
    ];

    const conflict = "ID_CONFLICT";
    expect(await Promise.all(outcomes)).toEqual([1, 1, 1, conflict, conflict, conflict, conflict]);
    expect(calls).toEqual(["work 1"]);
    await expect(resonate.rpc("named", "work", 2, strict)).rejects.toThrow(
      "'named' is on record as an rpc of 'work' version 1, and was asked for as an rpc of 'work' version 1 with other arguments.",
    );
  });

  test.each([
    ["generator", generator],
    ["async", asynchronous],
  ])(
    "can be told in a workflow, which goes on after a replay as before (%s)",
    async (_style, fn) => {
      const register = { work, other, fn };
      const client = world.client({ register, defaultTarget: "default", warmExecutionsMax: 0 });
      const asked = client.network.answered(({ request }) => fenced(request)?.id === "w:6");
      const handle = await client.resonate.beginRun("w", "fn");
      await asked;
      await client.resonate.promises.resolveValue("w:6");

      const conflict = "ID_CONFLICT";
      expect(await handle.result()).toEqual([1, 1, conflict, conflict, conflict, 1]);
      expect(calls).toEqual(["work 1"]);
      expect(client.logged).toEqual([]);
    },
  );

  function* generator(ctx: Context): Generator<unknown, unknown, unknown> {
    const outcomes: unknown[] = [];
    for (const begin of attempts(ctx)) {
      try {
        outcomes.push(yield* begin());
      } catch (error) {
        outcomes.push((error as ResonateError).code);
      }
    }
    yield* yield* ctx.promise();
    return outcomes;
  }

  async function asynchronous(ctx: Context): Promise<unknown> {
    const outcomes: unknown[] = [];
    for (const begin of attempts(ctx)) outcomes.push(await codeOf(begin()));
    await ctx.promise();
    return outcomes;
  }

  function attempts(ctx: Context) {
    return [
      () => ctx.rpc<number>("work", 1, ctx.options(named)),
      () => ctx.rpc<number>("work", 1, ctx.options(named)),
      () => ctx.rpc<number>("work", 2, ctx.options(named)),
      () => ctx.rpc<string>("other", ctx.options(named)),
      () => ctx.run(work, 1, ctx.options(named)),
      () => ctx.rpc<number>("work", 2, ctx.options({ id: "named" })),
    ];
  }

  test("is one piece of work for all in one workflow that ask for it at once", async () => {
    async function fn(ctx: Context) {
      const strict = ctx.options({ id: "named", onConflict: "error" });
      const all = [
        ctx.run(work, 1, strict),
        ctx.run(work, 1, ctx.options({ id: "named" })),
        ctx.run(work, 1, strict),
        ctx.run(other, strict),
      ];
      return Promise.all(all.map(codeOf));
    }
    const { resonate } = world.client({ register: { fn } });

    expect(await resonate.run("w", "fn")).toEqual([1, 1, 1, "ID_CONFLICT"]);
    expect(calls).toEqual(["work 1"]);
  });
});

describe("a function registered with a key", () => {
  test("computes each result once: factorial 5 after factorial 8 computes nothing", async () => {
    const { resonate } = world.client({ defaultTarget: "default" });
    function* factorial(ctx: Context, n: number): Generator<unknown, bigint, unknown> {
      calls.push(String(n));
      return n <= 1 ? 1n : BigInt(n) * (yield* ctx.rpc(factorial, n - 1));
    }
    resonate.register("factorial", factorial, { key: (n) => `factorial-${n}` });

    expect(await resonate.run("factorial-8", factorial, 8)).toBe(40_320n);
    const before = calls.length;
    expect(await resonate.run("factorial-5", factorial, 5)).toBe(120n);
    expect(await resonate.run("another", factorial, 6)).toBe(720n);
    expect(calls.slice(before)).toEqual(["6"]);
  });

  test("is run once for equal arguments in one workflow", async () => {
    const { resonate } = world.client();
    resonate.register("step", step, { key: (name) => `step-${name}` });
    resonate.register("fn", async (ctx: Context) =>
      Promise.all([ctx.run(step, "a"), ctx.run("step", "a"), ctx.run(step, "b")]),
    );

    expect(await resonate.run("w", "fn")).toEqual(["a", "a", "b"]);
    expect(calls).toEqual(["a", "b"]);
  });
});

test("a detached call lives on its own: it has its own deadline and nobody waits for it", async () => {
  function* fn(ctx: Context) {
    const future = yield* ctx.detached("later", 1);
    return future.id;
  }
  const { resonate } = world.client({ register: { fn } });

  const id = await resonate.run("w", "fn", resonate.options({ timeout: 1_000 }));

  const { state, tags, timeoutAt } = await resonate.promises.get(id);
  expect(id).toMatch(/^w:d[0-9a-f]{14}$/);
  expect(state).toBe("pending");
  expect(tags["resonate:parent"]).toBe("w");
  expect(timeoutAt).toBeGreaterThan((await resonate.promises.get("w")).timeoutAt);
});

test("a detached call may be waited for", async () => {
  function* fn(ctx: Context) {
    const future = yield* ctx.detached<number>("work", 1);
    return (yield* future) + 1;
  }
  const work = (_: Context, n: number) => n * 10;
  const { resonate } = world.client({ register: { fn, work }, defaultTarget: "default" });

  expect(await resonate.run("w", "fn")).toBe(11);
});

test("a position too deep to be spelled out is named by a hash and keeps its place in the tree", async () => {
  async function deep(ctx: Context, n: number): Promise<string> {
    return n === 0 ? ctx.id : ctx.run(deep, n - 1);
  }
  const { resonate } = world.client({ register: { deep } });

  const id = await resonate.run("w", "deep", 200);

  expect(id).toMatch(/^w:h[0-9a-f]{14}/);
  const { tags } = await resonate.promises.get(id);
  expect(tags["resonate:origin"]).toBe("w");
});

test("an external promise shows its id at once, carries data and tags, and reads the value it is given", async () => {
  async function fn(ctx: Context) {
    const approval = ctx.promise<string>({ data: { ask: "ok?" }, tags: { kind: "approval" } });
    calls.push(approval.id);
    return approval;
  }
  const { resonate, network } = world.client({ register: { fn } });
  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "fn");
  await parked;

  const found = await resonate.promises.getValue("w:0");
  expect(calls).toEqual(["w:0"]);
  expect(found.param).toEqual({ ask: "ok?" });
  expect(found.tags).toMatchObject({ kind: "approval", "resonate:scope": "global" });
  await resonate.promises.resolveValue("w:0", new Date(5));
  expect(await handle.result()).toEqual(new Date(5));
});

test("time and randomness are recorded, and come from what the program puts in their place", async () => {
  async function fn(ctx: Context) {
    return [await ctx.date.now(), await ctx.math.random()];
  }
  const { resonate } = world.client({ register: { fn } });
  resonate.setDependency("resonate:date", { now: () => 5 });
  resonate.setDependency("resonate:math", { random: () => 0.25 });

  expect(await resonate.run("w", "fn")).toEqual([5, 0.25]);
  expect((await resonate.promises.getValue("w:0")).param).toEqual({ func: "now", version: 1 });
});

test("a context tells where it is", async () => {
  const where = ({ id, originId, parentId, branchId, info }: Context) => ({
    id,
    originId,
    parentId,
    branchId,
    version: info.version,
    attempt: info.attempt,
  });
  async function fn(ctx: Context) {
    return [where(ctx), await ctx.run(where), await ctx.rpc(where)];
  }
  const { resonate } = world.client({ defaultTarget: "default" });
  resonate.register("where", where, { version: 3 });
  resonate.register("fn", fn);

  const shared = { originId: "w", attempt: 1 };
  expect(await resonate.run("w", fn)).toEqual([
    { ...shared, id: "w", parentId: "w", branchId: "w", version: 1 },
    { ...shared, id: "w:0", parentId: "w", branchId: "w", version: 3 },
    { ...shared, id: "w:1", parentId: "w", branchId: "w:1", version: 3 },
  ]);
});
