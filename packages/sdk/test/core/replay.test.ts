import type { Request } from "@resonate-ts/protocol";
import { EXTENSIONS } from "@resonate-ts/server";
import { beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/index.ts";
import { fenced } from "./engine-network.ts";
import { gate, openWorld, WITHOUT_CLAIMS, type World } from "./world.ts";

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

function* generator(ctx: Context) {
  calls.push("enter");
  const a = yield* ctx.run(step, "a");
  const b: string = yield* ctx.rpc("remote");
  const c = yield* ctx.run(step, "c");
  return [a, b, c].join(" ");
}

async function asynchronous(ctx: Context) {
  calls.push("enter");
  const a = await ctx.run(step, "a");
  const b: string = await ctx.rpc("remote");
  const c = await ctx.run(step, "c");
  return [a, b, c].join(" ");
}

describe.each([
  ["generator", generator],
  ["async", asynchronous],
] as const)("%s functions", (_style, workflow) => {
  test("a parked function goes on where it was, without being entered again", async () => {
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { workflow } });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "workflow");
    await parked;
    await resonate.promises.resolveValue("w:1", "b");

    expect(await handle.result()).toBe("a b c");
    expect(calls).toEqual(["enter", "a", "c"]);
    // Its claim came with the offer, and with what had settled.
    expect(network.messages.map(({ head }) => head)).toContainEqual({
      "resonate:preload": "delta",
    });
    expect(network.summary("task.acquire", "promise.get")).toEqual([]);
  });

  test("it does so where it claims its tasks itself", async () => {
    const { resonate, network } = world.client({
      register: { workflow },
      extensions: WITHOUT_CLAIMS,
    });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "workflow");
    await parked;
    await resonate.promises.resolveValue("w:1", "b");

    expect(await handle.result()).toBe("a b c");
    expect(calls).toEqual(["enter", "a", "c"]);
    const [acquire] = network.sent.filter(({ kind }) => kind === "task.acquire");
    expect(acquire?.head["resonate:preload"]).toBe("delta");
    expect(network.summary("promise.get")).toEqual([]);
  });

  test("it does so at servers without extensions", async () => {
    const { resonate, network } = world.client({ register: { workflow }, extensions: [] });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "workflow");
    await parked;
    await resonate.promises.resolveValue("w:1", "b");

    expect(await handle.result()).toBe("a b c");
    expect(calls).toEqual(["enter", "a", "c"]);
    expect(network.summary("promise.get")).toEqual(["promise.get w:1"]);
  });

  test("a new process replays the function and runs no finished leaf again", async () => {
    const first = world.client({ pid: "first", register: { workflow } });
    const parked = first.network.parked("w");
    await first.resonate.beginRun("w", "workflow");
    await parked;
    first.network.kill();

    const second = world.client({ pid: "second", register: { workflow } });
    await second.resonate.promises.resolveValue("w:1", "b");
    const handle = await second.resonate.get("w");

    expect(await handle.result()).toBe("a b c");
    expect(calls).toEqual(["enter", "a", "enter", "c"]);
    expect(second.network.summary("promise.create")).not.toContain("promise.create w:0");
  });

  test("a process that was killed in the middle of a step has only that step run again", async () => {
    const reached = gate();
    async function hang(_: Context) {
      calls.push("hang");
      if (calls.filter((call) => call === "hang").length > 1) return "done";
      reached.resolve();
      return new Promise<string>(() => {});
    }
    const outer =
      workflow === generator
        ? function* (ctx: Context) {
            yield* ctx.run(step, "a");
            return yield* ctx.run(hang);
          }
        : async (ctx: Context) => {
            await ctx.run(step, "a");
            return ctx.run(hang);
          };
    const first = world.client({ pid: "first", register: { outer } });
    await first.resonate.beginRun("w", "outer");
    await reached.promise;
    const second = world.client({ pid: "second", register: { outer } });
    await (await second.resonate.get("w")).done();
    first.network.kill();

    expect(await (await second.resonate.get("w")).result()).toBe("done");
    expect(calls).toEqual(["a", "hang", "hang"]);
  });

  test("with no room for parked functions it replays, with the same result", async () => {
    const { resonate, network } = world.client({ register: { workflow }, warmExecutionsMax: 0 });

    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "workflow");
    await parked;
    await resonate.promises.resolveValue("w:1", "b");

    expect(await handle.result()).toBe("a b c");
    expect(calls).toEqual(["enter", "a", "enter", "c"]);
  });
});

test("a claim that is not the next one makes a parked function replay", async () => {
  const first = world.client({
    pid: "first",
    register: { generator },
    extensions: WITHOUT_CLAIMS,
  });
  const parked = first.network.parked("w");
  await first.resonate.beginRun("w", "generator");
  await parked;
  first.network.loses = (message) => message.kind === "execute";

  // Another process takes the next claim and is killed under it.
  const second = world.client({ pid: "second" });
  await second.network.init();
  await second.resonate.promises.resolveValue("w:1", "b");
  const claim = { id: "w", version: 1, pid: "second", ttl: 60_000 };
  const [acquired] = await world.engine.process([
    {
      kind: "task.acquire",
      head: { corrId: "1", version: "2026-04-01", "resonate:preload": "delta" },
      data: claim,
    },
  ]);
  expect(acquired?.head.status).toBe(200);
  first.network.loses = () => false;
  second.network.kill();

  expect(await (await first.resonate.get("w")).result()).toBe("a b c");
  expect(calls).toEqual(["enter", "a", "enter", "c"]);
});

test("a parent of many children names each of them to the server a bounded number of times", async () => {
  const count = 100;
  function* parent(ctx: Context) {
    const futures = Array.from({ length: count }, (_, i) => ctx.rpc<number>("child", i));
    let sum = 0;
    for (const future of futures) sum += yield* future;
    return sum;
  }
  const child = (_: Context, n: number) => n;
  const { resonate, network } = world.client({
    register: { parent, child },
    defaultTarget: "default",
  });

  expect(await resonate.run("w", "parent")).toBe(4_950);

  const named = network.sent
    .filter(({ kind }) => kind === "task.suspend")
    .flatMap(({ data }) => ("actions" in data ? data.actions : []));
  const parks = network.sent.filter(({ kind }) => kind === "task.suspend").length;
  expect(named.length).toBeLessThanOrEqual(count + parks * 32);
});

test("more children than one request takes are registered before parking", async () => {
  const count = 1_200;
  async function parent(ctx: Context) {
    const all = Array.from({ length: count }, () => ctx.promise<number>());
    return (await Promise.all(all)).length;
  }
  const { resonate, network } = world.client({ register: { parent } });

  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "parent");
  const { request } = await parked;

  expect("actions" in request.data && request.data.actions.length).toBe(500);
  expect(network.summary("promise.register_callback").length).toBe(700);
  for (let i = 0; i < count; i++) await resonate.promises.resolveValue(`w:${i}`, i);
  expect(await handle.result()).toBe(count);
});

test("what settles while a park is under way is not missed", async () => {
  const { resonate, network } = world.client({ register: { generator } });
  network.intercept = async (request) => {
    if (request.kind !== "task.suspend") return undefined as never;
    network.intercept = () => undefined;
    await resonate.promises.resolveValue("w:1", "b");
    return undefined as never;
  };

  expect(await resonate.run("w", "generator")).toBe("a b c");
  expect(calls).toEqual(["enter", "a", "c"]);
  expect(network.summary("task.acquire")).toEqual([]);
});

test("an offer that comes before the answer to the park is taken up after it", async () => {
  const { resonate, network } = world.client({ register: { generator } });
  const execute = network.answered(({ request }) => request.kind === "promise.settle");
  const late = async (request: Request) => {
    network.intercept = () => undefined;
    const [answer] = await world.engine.process([request]);
    await resonate.promises.resolveValue("w:1", "b");
    await execute;
    return answer as never;
  };
  network.intercept = (request) =>
    request.kind === "task.suspend" ? late(request) : (undefined as never);

  expect(await resonate.run("w", "generator")).toBe("a b c");
  expect(calls).toEqual(["enter", "a", "c"]);
});

test("steps of one turn are created in the order of the code", async () => {
  async function many(ctx: Context) {
    const { promise: later, resolve } = Promise.withResolvers<void>();
    const late = later.then(() => ctx.run(step, "late"));
    const early = [ctx.run(step, "1"), ctx.run(step, "2"), ctx.run(step, "3")];
    resolve();
    await Promise.all([late, ...early]);
  }
  const { resonate, network } = world.client({ register: { many } });

  await resonate.run("w", "many");

  expect(network.summary("promise.create")).toEqual([
    "promise.create w:0",
    "promise.create w:1",
    "promise.create w:2",
    "promise.create w:3",
  ]);
  expect(calls).toEqual(["1", "2", "3", "late"]);
});

test("a step is settled when it finishes, not when it is awaited", async () => {
  const blocker = gate<string>();
  async function workflow(ctx: Context) {
    const first = ctx.run(step, "first");
    await ctx.run(() => blocker.promise);
    return first;
  }
  const { resonate, network } = world.client({ register: { workflow } });

  const settled = network.answered(({ request }) => {
    return "action" in request.data && request.data.action.kind === "promise.settle";
  });
  const handle = await resonate.beginRun("w", "workflow");
  await settled;
  expect((await resonate.promises.get("w:0")).state).toBe("resolved");
  blocker.resolve("go");

  expect(await handle.result()).toBe("first");
});

test("what a parked workflow starts by itself is done under its next claim, not without one", async () => {
  const own = gate();
  async function workflow(ctx: Context) {
    const remote = ctx.promise<string>();
    const helper = async () => {
      await own.promise;
      return ctx.run(step, "late");
    };
    return Promise.all([remote, helper()]);
  }
  const { resonate, network, logs } = world.client({ register: { workflow } });
  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "workflow");
  await parked;

  own.resolve();
  // It says so after a second.
  await logs("warn", /'w' \(workflow\) asked for something while it was waiting/);
  expect(network.summary("promise.create")).toEqual(["promise.create w:0"]);
  await resonate.promises.resolveValue("w:0", "x");

  expect(await handle.result()).toEqual(["x", "late"]);
  const fences = network.sent.filter((request) => fenced(request)?.id === "w:1");
  expect(fences.map(({ data }) => "version" in data && data.version)).toEqual([2, 2]);
});

test("a workflow is fed what the server recorded, not what the step returned", async () => {
  const running = gate();
  const proceed = gate();
  async function leaf() {
    running.resolve();
    await proceed.promise;
    return "mine";
  }
  const workflow = async (ctx: Context) => ctx.run(leaf);
  const { resonate } = world.client({ register: { workflow } });

  const handle = await resonate.beginRun("w", "workflow");
  await running.promise;
  await resonate.promises.resolveValue("w:0", "theirs");
  proceed.resolve();

  expect(await handle.result()).toBe("theirs");
});

test.each([
  ["goes on", 1_000],
  ["replays", 0],
])(
  "a deep chain of local workflows that waits for something remote %s",
  async (_way, warmExecutionsMax) => {
    async function deep(ctx: Context, n: number): Promise<number> {
      return n === 0 ? ctx.rpc<number>("remote") : 1 + (await ctx.run(deep, n - 1));
    }
    function* deepGenerator(ctx: Context, n: number): Generator<unknown, number, unknown> {
      return n === 0
        ? yield* ctx.rpc<number>("remote")
        : 1 + (yield* ctx.run(deepGenerator, n - 1));
    }
    const { resonate, network } = world.client({
      register: { deep, deepGenerator },
      warmExecutionsMax,
    });

    for (const name of ["deep", "deepGenerator"]) {
      const parked = network.parked(name);
      const handle = await resonate.beginRun(name, name, 1_500);
      const { request } = await parked;
      const [remote] = "actions" in request.data ? request.data.actions : [];
      await resonate.promises.resolveValue(remote?.data.awaited ?? "", 1_000);
      expect(await handle.result()).toBe(2_500);
    }
  },
);

test("replaying finished steps sends nothing", async () => {
  function* many(ctx: Context) {
    for (let i = 0; i < 50; i++) yield* ctx.run(step, String(i));
    return yield* ctx.promise();
  }
  const first = world.client({ pid: "first", register: { many } });
  const parked = first.network.parked("w");
  await first.resonate.beginRun("w", "many");
  await parked;
  first.network.kill();

  const second = world.client({ pid: "second", register: { many } });
  await second.resonate.promises.resolveValue("w:50", "x");

  expect(await (await second.resonate.get("w")).result()).toBe("x");
  expect(calls.length).toBe(50);
  expect(second.network.sent.map((sent) => fenced(sent)?.id ?? "")).toContain("w:50");
  expect(second.network.sent.filter(({ kind }) => kind === "task.fence").length).toBe(1);
});

test("what a lost answer to a suspend has shown is found all the same", async () => {
  // More than are named again at a park.
  const count = 100;
  const found = Promise.withResolvers<number>();
  const { network, resonate } = world.client({
    register: {
      fn: async (ctx: Context) => {
        const all = Array.from({ length: count }, () => ctx.promise<number>());
        const first = await Promise.race(all);
        found.resolve(await Promise.race(all.filter((_, at) => at !== first)));
      },
    },
  });
  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "fn");
  await parked;
  const suspends = () => network.summary("task.suspend").length;
  network.intercept = async (request) => {
    // While the task is held again, before it is parked: what tells it so is the answer that is lost.
    if (request.kind === "task.suspend" && suspends() === 2) {
      await resonate.promises.resolveValue(`w:${count - 1}`, count - 1);
    }
    return undefined as never;
  };
  network.losesAnswer = (request) => request.kind === "task.suspend" && suspends() === 2;

  await resonate.promises.resolveValue("w:0", 0);

  expect(await found.promise).toBe(count - 1);
  // It joins what it started.
  for (let at = 1; at < count - 1; at++) await resonate.promises.resolveValue(`w:${at}`, at);
  await handle.result();
});

test.each([
  ["goes on to wait for something new", true],
  ["waits for nothing more", false],
])(
  "a park that is asked for again names what the server knows of, also when the function meanwhile %s",
  async (_what, more) => {
    const { resonate, network, logged } = world.client({
      // Without them nothing is parked before its creation is answered.
      extensions: EXTENSIONS,
      register: {
        *fn(ctx: Context): Generator<unknown, string, unknown> {
          const found = yield* ctx.rpc("other", ctx.options({ id: "done" }));
          if (more) yield* ctx.sleep(1);
          return found;
        },
      },
    });
    await resonate.promises.create("done", Date.now() + 60_000, {
      tags: { "resonate:scope": "global" },
    });
    await resonate.promises.resolveValue("done", "found");
    // What was created, as it counted as parked, is found settled before the park is answered, and that answer is lost.
    let parks = 0;
    network.intercept = async (request) => {
      if (request.kind !== "task.suspend" || ++parks > 1) return undefined as never;
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      return undefined as never;
    };
    network.losesAnswer = (request) => request.kind === "task.suspend" && parks === 1;

    expect(await resonate.run("w", "fn")).toBe("found");

    expect(parks).toBeGreaterThan(1);
    expect(logged.filter(({ level }) => level === "error")).toEqual([]);
  },
);
