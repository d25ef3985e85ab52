import { EXTENSIONS } from "@resonate-ts/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Context } from "../../src/index.ts";
import { idOf, refusal } from "../core/engine-network.ts";
import { gate, openWorld, WITHOUT_CLAIMS, type World } from "../core/world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => vi.useRealTimers());

/** Starts `count` promises that the functions of `client` are to run. */
async function call(client: ReturnType<World["client"]>, count: number): Promise<void> {
  const target = client.resonate.options({ target: "default" });
  for (let i = 0; i < count; i++) await client.resonate.beginRpc(`t${i}`, "fn", i, target);
}

describe("stopping", () => {
  test("fires the signals of what runs and releases it, so that others go on at once", async () => {
    const running = gate();
    let signal: AbortSignal | undefined;
    let first = true;
    async function fn(ctx: Context) {
      if (!first) return "finished elsewhere";
      first = false;
      signal = ctx.signal;
      running.resolve();
      return new Promise<string>(() => {});
    }
    const one = world.client({ register: { fn } });
    await one.resonate.beginRun("w", "fn");
    await running.promise;
    const two = world.client({ register: { fn } });
    const handle = await two.resonate.get("w");

    await one.resonate.stop();

    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: "STOPPED" });
    expect(one.network.summary("task.release")).toEqual(["task.release w"]);
    expect(await handle.result()).toBe("finished elsewhere");
  });

  test("leaves the blocks of a program alone and records nothing more", async () => {
    const running = gate();
    const proceed = gate();
    const heard: string[] = [];
    async function leaf() {
      running.resolve();
      await proceed.promise;
    }
    async function fn(ctx: Context) {
      try {
        await ctx.run(leaf);
      } catch {
        heard.push("catch");
      } finally {
        heard.push("finally");
      }
    }
    const { resonate, network } = world.client({ register: { fn } });
    await resonate.beginRun("w", "fn");
    await running.promise;

    await resonate.stop();
    const sent = network.sent.length;
    proceed.resolve();
    await new Promise((resolve) => setImmediate(resolve));

    expect(heard).toEqual([]);
    expect(network.sent.length).toBe(sent);
  });

  test("takes half a second at most, even if the server does not answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const running = gate();
    const fn = () => {
      running.resolve();
      return new Promise(() => {});
    };
    const { resonate, network } = world.client({ register: { fn } });
    await resonate.beginRun("w", "fn");
    await running.promise;
    network.intercept = ({ kind }) =>
      kind === "task.release" ? new Promise(() => {}) : (undefined as never);

    let stopped = false;
    const stopping = resonate.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(499);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stopping;
  });

  test("may be done twice, and what is asked for afterwards is refused with a reason", async () => {
    const { resonate } = world.client({ register: { fn: () => 1 } });

    await Promise.all([resonate.stop(), resonate.stop()]);

    await expect(resonate.run("w", "fn")).rejects.toMatchObject({ code: "STOPPED" });
  });
});

describe("heartbeats", () => {
  const hold = (reached: () => void) => () => {
    reached();
    return new Promise(() => {});
  };

  test("name everything that is held, every half of the lease", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const one = gate();
    const two = gate();
    const { resonate, network } = world.client({
      ttl: 1_000,
      extensions: WITHOUT_CLAIMS,
      register: { one: hold(one.resolve), two: hold(two.resolve) },
    });
    await resonate.beginRun("w", "one");
    await resonate.beginRpc("v", "two", resonate.options({ target: "default" }));
    await Promise.all([one.promise, two.promise]);

    await vi.advanceTimersByTimeAsync(499);
    expect(network.summary("task.heartbeat")).toEqual([]);
    await vi.advanceTimersByTimeAsync(501);

    const beats = network.sent.filter(({ kind }) => kind === "task.heartbeat");
    expect(beats.map(({ data }) => data)).toEqual(
      Array(2).fill({
        pid: "p1",
        tasks: [
          { id: "w", version: 1 },
          { id: "v", version: 1 },
        ],
      }),
    );
  });

  test("name one tree each at servers without extensions", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const reached = [gate(), gate()];
    let count = 0;
    const { resonate, network } = world.client({
      ttl: 1_000,
      extensions: [],
      register: { fn: hold(() => reached[count++]?.resolve()) },
    });
    await resonate.beginRun("w", "fn");
    await resonate.beginRun("v", "fn");
    await Promise.all(reached.map(({ promise }) => promise));

    await vi.advanceTimersByTimeAsync(500);

    const beats = network.sent.filter(({ kind }) => kind === "task.heartbeat");
    expect(beats.map(({ data }) => "tasks" in data && data.tasks)).toEqual([
      [{ id: "w", version: 1 }],
      [{ id: "v", version: 1 }],
    ]);
  });

  test("that get through after a gap as long as a lease tell what was lost meanwhile", async () => {
    const lost = Promise.withResolvers<unknown>();
    const running = gate();
    const fn = ({ signal }: Context) => {
      signal.addEventListener("abort", () => lost.resolve(signal.reason));
      running.resolve();
      return new Promise(() => {});
    };
    const one = world.client({ ttl: 100, register: { fn }, extensions: WITHOUT_CLAIMS });
    await one.resonate.beginRun("w", "fn");
    await running.promise;
    let beats = 0;
    const away = gate();
    one.network.intercept = (request) => {
      if (request.kind !== "task.heartbeat") return undefined as never;
      beats += 1;
      if (beats === 4) away.resolve();
      return beats > 4 ? (undefined as never) : refusal(request, 503);
    };
    // Its stream closes, so the server gives its work to the other.
    await one.network.stop();
    const two = world.client({ register: { fn: () => "the other's" } });
    expect(await (await two.resonate.get("w")).result()).toBe("the other's");
    await away.promise;

    expect(await lost.promise).toMatchObject({ code: "LEASE_LOST" });
    expect(one.network.summary("task.get")).toEqual(["task.get w"]);
  });

  test("end when nothing is held", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { resonate, network } = world.client({ ttl: 1_000, register: { fn: () => 1 } });
    await resonate.run("w", "fn");

    await vi.advanceTimersByTimeAsync(5_000);

    expect(network.summary("task.heartbeat")).toEqual([]);
  });
});

test("no more tasks run at once than are allowed, and the others follow", async () => {
  let running = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  async function fn(_: Context, n: number) {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => waiting.push(resolve));
    running -= 1;
    return n;
  }
  const worker = world.client({ maxConcurrentTasks: 2, register: { fn } });
  const client = world.client({ group: "clients" });
  await call(client, 6);
  const results = Promise.all(
    Array.from({ length: 6 }, async (_, i) => (await client.resonate.get(`t${i}`)).result()),
  );
  let done = false;
  void results.then(() => {
    done = true;
  });

  while (!done) {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect(await results).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
  // Each was claimed once: by the worker, or for it, and then it comes with its promise.
  const given = worker.network.messages.filter(({ data }) => "task" in data && "promise" in data);
  expect(worker.network.summary("task.acquire").length + given.length).toBe(6);
  expect(worker.network.summary("task.release")).toEqual([]);
});

test("an offer that comes twice is taken once", async () => {
  let entered = 0;
  const proceed = gate();
  async function fn() {
    entered += 1;
    await proceed.promise;
  }
  const worker = world.client({ register: { fn } });
  const client = world.client({ group: "clients" });
  const execute = worker.network.answered(({ request }) => request.kind === "task.acquire");
  await call(client, 1);
  await execute;

  // The same message again, from a server that is not sure that it arrived.
  worker.network.repeat();
  worker.network.repeat();
  proceed.resolve();
  await (await client.resonate.get("t0")).result();
  await new Promise((resolve) => setImmediate(resolve));

  expect(entered).toBe(1);
  expect(worker.logged).toEqual([]);
});

test("a claim that somebody else won is dropped without a word", async () => {
  const worker = world.client({ register: { fn: () => 1 } });
  const client = world.client({ group: "clients" });
  const lost = worker.network.answered(({ request }) => request.kind === "task.acquire");
  worker.network.intercept = (request) =>
    request.kind === "task.acquire" ? refusal(request, 409) : (undefined as never);

  await call(client, 1);
  await lost;

  expect(worker.logged).toEqual([]);
  expect(worker.network.sent.map(idOf)).toEqual(["t0"]);
});

test("a timer that is offered as a task is left alone", async () => {
  const worker = world.client({ register: { fn: () => 1 }, extensions: WITHOUT_CLAIMS });
  const client = world.client({ group: "clients" });
  await worker.network.init();
  const tags = { "resonate:timer": "true", "resonate:target": worker.network.anycast };
  await client.resonate.promises.create("timer", Date.now() + 60_000, { tags });
  worker.network.intercept = async (request) => {
    if (request.kind !== "task.acquire") return undefined as never;
    const promise = await client.resonate.promises.get("timer");
    const task = { id: "timer", state: "acquired", version: 1, resumes: 0 } as const;
    const head = { corrId: request.head.corrId, status: 200, version: "2026-04-01" } as const;
    return { kind: request.kind, head, data: { task, promise, preload: [] } };
  };
  const acquired = worker.network.answered(({ request }) => request.kind === "task.acquire");

  worker.network.deliver({
    kind: "execute",
    head: {},
    data: { task: { id: "timer", version: 0 } },
  });
  await acquired;
  await new Promise((resolve) => setImmediate(resolve));

  expect(worker.network.sent.map(({ kind }) => kind)).toEqual(["task.acquire"]);
  expect(worker.logged).toEqual([]);
});

test("of parked executions the least recent are dropped beyond the limit, and replay", async () => {
  const entered: string[] = [];
  function* fn(ctx: Context) {
    entered.push(ctx.id);
    return yield* yield* ctx.promise<number>();
  }
  const { resonate, network } = world.client({ register: { fn }, warmExecutionsMax: 2 });
  for (const id of ["a", "b", "c"]) {
    const parked = network.parked(id);
    await resonate.beginRun(id, "fn");
    await parked;
  }
  for (const id of ["a", "b", "c"]) {
    await resonate.promises.resolveValue(`${id}:0`, 1);
    await (await resonate.get(id)).result();
  }

  expect(entered).toEqual(["a", "b", "c", "a"]);
});

describe("work whose promise somebody else settles", () => {
  test.each([
    ["canceled", { timeout: 60_000 }, "PROMISE_CANCELED"],
    ["past its deadline", { timeout: 50 }, "PROMISE_TIMED_OUT"],
  ])(
    "ends when it is %s: its signal fires, its place is free, its caller hears",
    async (_name, options, code) => {
      const aborted = Promise.withResolvers<unknown>();
      const started = gate();
      const { resonate } = world.client({
        maxConcurrentTasks: 1,
        register: {
          hang: (ctx: Context) => {
            ctx.signal.addEventListener("abort", () => aborted.resolve(ctx.signal.reason));
            started.resolve();
            return new Promise(() => {});
          },
          next: () => "next",
        },
      });
      const result = resonate.run("w", "hang", resonate.options(options));
      const ended = expect(result).rejects.toMatchObject({ code });
      await started.promise;

      if (code === "PROMISE_CANCELED") await resonate.promises.cancel("w");

      await ended;
      expect(await aborted.promise).toMatchObject({ code });
      expect(await resonate.run("n", "next")).toBe("next");
    },
  );
});

test("a claim that is told of twice is run once, whether what it was for is over or parked", async () => {
  const calls: string[] = [];
  const leaf = async ({ id }: Context) => {
    calls.push(id);
  };
  async function parks(ctx: Context) {
    calls.push(ctx.id);
    await ctx.promise();
  }
  const { resonate, network } = world.client({
    extensions: EXTENSIONS,
    register: { leaf, parks },
    defaultTarget: "default",
  });
  await resonate.rpc("over", "leaf");
  await resonate.beginRpc("waits", "parks");
  await network.parked("waits");
  const claims = network.messages.filter(
    ({ kind, data }) => kind === "execute" && "promise" in data,
  );

  for (const message of claims) network.deliver(message);
  await resonate.rpc("after", "leaf");

  expect(claims).toHaveLength(2);
  expect(calls).toEqual(["over", "waits", "after"]);
});
