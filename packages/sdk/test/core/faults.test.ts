import type { ClaimedTask, Value } from "@resonate-ts/protocol";
import { EXTENSIONS } from "@resonate-ts/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Constant, type Context, Never, type ResonateError } from "../../src/index.ts";
import { makeRequest } from "../../src/network/envelope.ts";
import { type Failed, Faults } from "../../src/worker/faults.ts";
import { systemClock } from "../../src/worker/system-clock.ts";
import { fenced, idOf, refusal } from "./engine-network.ts";
import { gate, openWorld, WITHOUT_CLAIMS, type World } from "./world.ts";

let world: World;
let calls: string[] = [];
beforeEach(async () => {
  // Only waiting is simulated; the engine and its turns are real.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  world = await openWorld();
  calls = [];
});
afterEach(() => vi.useRealTimers());

/** What ends a pass, leaves nothing settled and is tried again after a while. */
const faults = {
  "ctx.panic in a generator": {
    *fn(ctx: Context) {
      try {
        calls.push("before");
        yield* ctx.panic(false, "not this one");
        yield* ctx.panic(true, "stop here");
        calls.push("after");
      } catch {
        calls.push("caught");
      } finally {
        calls.push("finally");
      }
    },
    message: /stop here/,
  },
  "ctx.assert in an async function": {
    async fn(ctx: Context) {
      calls.push("before");
      ctx.assert(true);
      ctx.assert(false, "stop here");
      calls.push("after");
    },
    message: /stop here/,
  },
  "something yielded that is no durable operation": {
    *fn() {
      try {
        calls.push("before");
        yield Promise.resolve(1);
        calls.push("after");
      } finally {
        calls.push("finally");
      }
    },
    message:
      /can only yield what ctx gives it, such as ctx\.run\(…\); it yielded \[object Promise\]/,
  },
  "an argument that cannot travel": {
    *fn(ctx: Context) {
      calls.push("before");
      yield* ctx.rpc("other", () => 1);
    },
    message: /function/i,
  },
};

describe.each(Object.entries(faults))("%s", (_name, { fn, message }) => {
  test("ends the pass; the task is let go after a second, then after two", async () => {
    const client = world.client({ register: { fn }, extensions: WITHOUT_CLAIMS });
    const { resonate, network } = client;
    const handle = await resonate.beginRun("w", "fn");

    await client.logs("error", message);
    expect(calls).toEqual(["before"]);
    expect(network.summary("task.release")).toEqual([]);
    const executed = network.answered(({ request }) => request.kind === "task.acquire");
    await vi.advanceTimersByTimeAsync(1_000);
    await executed;

    await client.logs("debug", /tried again later/);
    expect(calls).toEqual(["before", "before"]);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(network.summary("task.release")).toEqual(["task.release w"]);
    const released = network.answered(({ request }) => request.kind === "task.release");
    await vi.advanceTimersByTimeAsync(1);
    await released;
    expect(await handle.done()).toBe(false);
    expect(client.logged.filter(({ level }) => level === "error").length).toBe(1);
  });
});

describe.each([
  ["claims that come with the offer", EXTENSIONS],
  ["claims of its own", WITHOUT_CLAIMS],
  ["a server without extensions", []],
])("code that cannot go on, with %s", (_how, extensions) => {
  test("is tried five times, then halted with the cause, and goes on when somebody continues it", async () => {
    let mended = false;
    function* fn(ctx: Context): Generator<unknown, string, unknown> {
      calls.push("try");
      yield* ctx.panic(!mended, "not mended");
      return "mended";
    }
    const { resonate, network, logs } = world.client({ register: { fn }, extensions });
    const handle = await resonate.beginRun("w", "fn");
    const halted = network.answered(({ request }) => request.kind === "task.halt");

    for (const seconds of [1, 2, 4, 8]) {
      await logs("error", /not mended/);
      const released = network.answered(({ request }) => request.kind === "task.release");
      const tried = calls.length;
      await vi.advanceTimersByTimeAsync(seconds * 1_000);
      await released;
      while (calls.length === tried) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await halted).answer.head.status).toBe(200);
    await logs("error", /'w' is halted: 5 tries .*'w' gave up: not mended.*continue/);

    expect(calls.length).toBe(5);
    const [halt] = network.sent.filter(({ kind }) => kind === "task.halt");
    expect(halt?.head["resonate:cause"]).toBe("ResonateError: 'w' gave up: not mended");
    const [task] = await world.engine.process([makeRequest("task.get", { id: "w" })]);
    expect(task?.data).toMatchObject({ task: { state: "halted" } });
    mended = true;
    await world.engine.process([makeRequest("task.continue", { id: "w" })]);
    expect(await handle.result()).toBe("mended");
  });
});

test("work that was lost with its process five times is halted by the next one, not run", async () => {
  const client = world.client({ register: { fn: () => calls.push("run") }, pid: "p" });
  const { network, resonate } = client;
  const caller = world.client({ group: "clients" });
  await caller.resonate.beginRpc("w", "fn", resonate.options({ target: "nobody yet" }));
  const data = { id: "w", version: 0, pid: "p", ttl: 60_000 };
  const [answer] = await world.engine.process([makeRequest("task.acquire", data)]);
  const { task, promise, preload } = (answer as { data: ClaimedTask }).data;
  const halted = network.answered(({ request }) => request.kind === "task.halt");

  const lost = { ...task, failures: 5 };
  network.deliver({ kind: "execute", head: {}, data: { task: lost, promise, preload } });

  expect((await halted).answer.head.status).toBe(200);
  await client.logs("error", /'w' is halted: 5 tries .*The processes that ran it were lost/);
  expect(calls).toEqual([]);
});

test("a server that does not let us is asked again for as long as it takes", async () => {
  const client = world.client({ register: { fn: async (ctx: Context) => ctx.run(() => 1) } });
  client.network.intercept = (request) =>
    request.kind === "task.fence" ? refusal(request, 403) : (undefined as never);
  await client.resonate.beginRun("w", "fn");
  const fences = () => client.network.sent.filter(({ kind }) => kind === "task.fence").length;

  for (let tries = 1; tries <= 7; tries++) {
    while (fences() < tries) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(30_000);
  }

  expect(client.network.summary("task.halt")).toEqual([]);
});

describe.each([
  ["at once", (value: Value) => value],
  ["after a while", async (value: Value) => value],
])("an encryptor that answers %s", (_when, pass) => {
  test.each(["encrypt", "decrypt"] as const)(
    "and cannot %s for some minutes holds work up for as long, and halts nothing",
    async (broken) => {
      let failures = 0;
      let away = false;
      const step = (_: Context, n: number) => n + 1;
      const client = world.client({
        register: {
          fn: async (ctx: Context) => {
            away = failures < 7;
            return ctx.run(step, 41);
          },
        },
        encryptor: {
          encrypt: pass,
          decrypt: pass,
          [broken]: (value: Value) => {
            if (!away) return pass(value);
            failures += 1;
            throw new Error("the key service is away");
          },
        },
      });
      const handle = await client.resonate.beginRun("w", "fn");

      for (let tries = 1; tries <= 7; tries++) {
        while (failures < tries) await new Promise((resolve) => setImmediate(resolve));
        await client.logs("error", /the key service is away/);
        away = false;
        await vi.advanceTimersByTimeAsync(30_000);
      }

      expect(await handle.result()).toBe(42);
      expect(client.network.summary("task.halt")).toEqual([]);
    },
  );
});

test("what the server could not be asked for does not count when the code fails later", async () => {
  let away = true;
  const fn = async (ctx: Context) => {
    await ctx.run(() => 1);
    ctx.panic(true, "stop here");
  };
  const client = world.client({ register: { fn }, extensions: WITHOUT_CLAIMS });
  client.network.intercept = (request) =>
    away && request.kind === "task.fence" ? refusal(request, 403) : (undefined as never);
  await client.resonate.beginRun("w", "fn");
  const fences = () => client.network.sent.filter(({ kind }) => kind === "task.fence").length;
  for (let tries = 1; tries <= 5; tries++) {
    while (fences() < tries) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    away = tries < 5;
    await vi.advanceTimersByTimeAsync(30_000);
  }

  await client.logs("error", /stop here/);

  expect(client.network.summary("task.halt")).toEqual([]);
});

describe("failures that are told by the server", () => {
  const error = new Error("boom");
  const failed = (told: Pick<Failed, "failures" | "losses">): Failed => ({
    id: "w",
    error,
    called: true,
    ...told,
  });
  const faults = () => {
    const log = () => {};
    const logger = { debug: log, info: log, warn: log, error: log };
    return new Faults({ logger, clock: systemClock });
  };

  test("fewer than were seen here mean that somebody got on with it meanwhile", () => {
    const here = faults();
    for (let tries = 1; tries <= 10; tries++) {
      expect(here.measure(failed({ failures: 0, losses: 0 })).kind).toBe("release");
    }
  });

  test("of others and of this process make five together", () => {
    const here = faults();
    const kinds = [
      { failures: 1, losses: 1 },
      { failures: 3, losses: 2 },
      { failures: 4, losses: 2 },
    ].map((told) => here.measure(failed(told)).kind);

    expect(kinds).toEqual(["release", "release", "halt"]);
  });

  test("are counted here where the server tells of none", () => {
    const here = faults();
    const kinds = Array.from({ length: 5 }, () => {
      return here.measure(failed({ failures: undefined, losses: 0 })).kind;
    });

    expect(kinds).toEqual(["release", "release", "release", "release", "halt"]);
  });
});

describe("a function that is not registered here", () => {
  const missing = async (ctx: Context) => {
    calls.push("before");
    try {
      await ctx.run("missing");
    } catch {
      calls.push("caught");
    }
  };

  test("ends the pass with what there is, and no block of the program sees it", async () => {
    const client = world.client({ register: { fn: missing } });
    await client.resonate.beginRun("w", "fn");

    await client.logs("error", /No function 'missing' is registered in this process \(it has fn\)/);

    expect(calls).toEqual(["before"]);
  });

  test("names the version that is not registered", async () => {
    function* fn(ctx: Context) {
      yield* ctx.run("fn", ctx.options({ version: 7 }));
    }
    const client = world.client({ register: { fn } });
    await client.resonate.beginRun("w", "fn");

    await client.logs("error", /Version 7 of 'fn' is not registered/);
  });

  test("halts a workflow that calls it, with the version asked for and those that there are", async () => {
    function* fn(ctx: Context) {
      yield* ctx.run("step", ctx.options({ version: 7 }));
    }
    const client = world.client({ register: { fn } });
    client.resonate.register("step", () => 1, { version: 1 });
    client.resonate.register("step", () => 3, { version: 3 });
    let over = false;
    const halted = client.network.answered(({ request }) => request.kind === "task.halt");
    const end = halted.then(() => {
      over = true;
    });
    await client.resonate.beginRun("w", "fn");
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await end;

    const [answer] = await world.engine.process([makeRequest("task.get", { id: "w" })]);

    const cause = /Version 7 of 'step' is not registered in this process \(it has 1, 3\)/;
    expect(answer?.data).toMatchObject({
      task: { state: "halted", cause: expect.stringMatching(cause) },
    });
  });

  test("is run by others at once, and not asked for here for a while", async () => {
    // The server makes an offer that is left unanswered to another one, by a clock that is not simulated.
    vi.useRealTimers();
    world = await openWorld();
    const without = world.client({ register: { other: () => 1 } });
    await without.network.init();
    const first = without.network.answered(({ request }) => request.kind === "task.release");
    const { resonate } = world.client({ group: "clients", defaultTarget: "default" });
    const handle = await resonate.beginRpc("w", "fn");
    await first;
    without.network.repeat();

    world.client({ register: { fn: () => "done" } });

    expect(await handle.result()).toBe("done");
    expect(without.network.summary("task.acquire")).toEqual(["task.acquire w"]);
  });
});

describe.each([
  ["a function", () => () => 1],
  ["a symbol", () => Symbol("x")],
  ["too much", () => "x".repeat(2_000_000)],
])("a result that cannot travel: %s", (_name, leaf) => {
  test("of a step is thrown where it is awaited, and the step does not run again", async () => {
    const { resonate } = world.client({
      register: {
        fn: async (ctx: Context) => {
          try {
            return await ctx.run(() => {
              calls.push("leaf");
              return leaf();
            });
          } catch (error) {
            return (error as ResonateError).code;
          }
        },
      },
    });

    expect(await resonate.run("w", "fn")).toMatch(/^VALUE_(NOT_ENCODABLE|TOO_LARGE)$/);
    expect(calls).toEqual(["leaf"]);
  });

  test("of a root rejects it", async () => {
    const { resonate } = world.client({ register: { fn: leaf } });

    await expect(resonate.run("w", "fn")).rejects.toThrow();
  });
});

test("a param that names no function is a fault that says what is expected", async () => {
  const client = world.client({ register: { fn: () => 1 } });
  const tags = { "resonate:target": client.network.anycast };

  await client.resonate.promises.createValue("odd", Date.now() + 60_000, {
    value: 5,
    tags,
  } as never);

  await client.logs("error", /The param of 'odd' does not say what to call/);
});

test("a workflow that does something else than before stops with both named", async () => {
  let version = 1;
  const a = () => "a";
  const b = () => "b";
  function* fn(ctx: Context): Generator<unknown, string, unknown> {
    if (version === 1) yield* ctx.run(a);
    else if (version === 2) yield* ctx.run(b);
    else yield* ctx.sleep(1);
    return yield* yield* ctx.promise<string>();
  }
  const client = world.client({ register: { fn }, warmExecutionsMax: 0 });
  const parked = client.network.parked("w");
  await client.resonate.beginRun("w", "fn");
  await parked;

  version = 2;
  await client.resonate.promises.resolveValue("w:1", "x");
  await client.logs("error", /'w:0' is recorded as a run of 'a' version 1, but .* a run of 'b'/);
  version = 3;
  await vi.advanceTimersByTimeAsync(1_000);
  await client.logs("error", /'w:0' is recorded as a run of 'a' version 1, but .* a sleep/);
  version = 1;
  await vi.advanceTimersByTimeAsync(2_000);

  expect(await (await client.resonate.get("w")).result()).toBe("x");
});

test("a dispatched call with other arguments than before is told apart, one with another policy is not", async () => {
  let [argument, delay] = ["a", 1];
  async function fn(ctx: Context) {
    const options = ctx.options({ retryPolicy: new Constant({ delay }) });
    await ctx.rpc("other", { deep: [argument, new Date(5)] }, options);
    return ctx.promise<string>();
  }
  const client = world.client({ register: { fn }, warmExecutionsMax: 0 });
  const parked = client.network.parked("w");
  await client.resonate.beginRun("w", "fn");
  await parked;

  [argument, delay] = ["b", 2];
  await client.resonate.promises.resolveValue("w:0", "x");
  await client.logs("error", /asks for an rpc of 'other' version 1 with other arguments/);
  [argument, delay] = ["a", 3];
  const parkedAgain = client.network.parked("w");
  await vi.advanceTimersByTimeAsync(1_000);

  await parkedAgain;
});

test("a workflow under way keeps the version of a step that is registered anew", async () => {
  const { resonate, network } = world.client({ warmExecutionsMax: 0 });
  resonate.register("step", () => "old");
  resonate.register("fn", async (ctx: Context) => {
    const step = await ctx.run("step");
    await ctx.promise();
    return step;
  });
  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "fn");
  await parked;

  resonate.register("step", () => "new", { version: 2 });
  await resonate.promises.resolveValue("w:1");

  expect(await handle.result()).toBe("old");
});

test("after a fault nothing that the function still asks for is started", async () => {
  const step = () => calls.push("step");
  async function fn(ctx: Context) {
    void ctx.run("missing");
    await ctx.run(step);
  }
  const client = world.client({ register: { fn } });
  await client.resonate.beginRun("w", "fn");
  await client.logs("error", /No function 'missing'/);
  await new Promise((resolve) => setImmediate(resolve));

  expect(calls).toEqual([]);
  expect(client.network.summary("promise.create")).toEqual([]);
});

describe("a lost lease", () => {
  test("that one step meets stops the others too, even if what they record gets through", async () => {
    async function fn(ctx: Context) {
      ctx.run(() => 1);
      await ctx.run(() => 2);
      calls.push("after");
    }
    const client = world.client({ register: { fn } });
    client.network.intercept = (request) => {
      const lost = fenced(request)?.kind === "promise.settle" && fenced(request)?.id === "w:0";
      return lost ? refusal(request, 409) : (undefined as never);
    };
    const recorded = client.network.answered(({ request, answer }) => {
      const inner = fenced(request);
      return inner?.kind === "promise.settle" && inner.id === "w:1" && answer.head.status === 200;
    });

    await client.resonate.beginRun("w", "fn");
    await recorded;
    await new Promise((resolve) => setImmediate(resolve));

    expect(calls).toEqual([]);
  });

  test("stops the pass quietly: nothing is settled, and no block of the function hears of it", async () => {
    const running = gate();
    const proceed = gate();
    let signal: AbortSignal | undefined;
    async function leaf(ctx: Context) {
      signal = ctx.signal;
      running.resolve();
      await proceed.promise;
      return "late";
    }
    async function fn(ctx: Context) {
      try {
        await ctx.run(leaf);
        calls.push("after");
      } catch {
        calls.push("caught");
      } finally {
        calls.push("finally");
      }
    }
    const client = world.client({ register: { fn } });
    await client.resonate.beginRun("w", "fn");
    await running.promise;
    client.network.intercept = (request) =>
      request.kind === "task.fence" ? refusal(request, 409) : (undefined as never);
    const refused = client.network.answered(({ answer }) => answer.head.status === 409);

    proceed.resolve();
    await refused;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(calls).toEqual([]);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: "LEASE_LOST" });
    expect(client.network.summary("task.release", "task.fulfill")).toEqual([]);
    expect(client.logged.filter(({ level }) => level === "error")).toEqual([]);
    expect((await client.resonate.promises.get("w:0")).state).toBe("pending");
  });

  test("a worker that was away finds its claim taken and changes nothing", async () => {
    vi.useRealTimers();
    const running = gate();
    const proceed = gate<string>();
    let first = true;
    async function leaf() {
      if (!first) return "second";
      first = false;
      running.resolve();
      return proceed.promise;
    }
    const fn = async (ctx: Context) => ctx.run(leaf);
    const one = world.client({ pid: "one", register: { fn } });
    await one.resonate.beginRun("w", "fn");
    await running.promise;
    const two = world.client({ pid: "two", register: { fn } });
    await two.resonate.promises.get("w");
    // Its stream closes, so the server gives its work to the other.
    await one.network.stop();

    expect(await (await two.resonate.get("w")).result()).toBe("second");
    const refused = one.network.answered(({ request }) => fenced(request)?.id === "w:0");
    proceed.resolve("first");
    expect((await refused).answer.head.status).toBe(409);
    expect((await two.resonate.promises.getValue("w")).value).toBe("second");
  });
});

test.each([
  ["generator", true],
  ["async", false],
])(
  "a step that hangs past its deadline times out, and its %s workflow goes on",
  async (_style, isGenerator) => {
    vi.useRealTimers();
    world = await openWorld();
    const aborted = Promise.withResolvers<unknown>();
    const hang = (ctx: Context) => {
      ctx.signal.addEventListener("abort", () => aborted.resolve(ctx.signal.reason));
      return new Promise<never>(() => {});
    };
    const codeOf = (error: unknown) => (error as ResonateError).code;
    function* generator(ctx: Context): Generator<unknown, string, unknown> {
      try {
        return yield* ctx.run(hang, ctx.options({ timeout: 50 }));
      } catch (error) {
        return yield* ctx.run(codeOf.bind(undefined, error));
      }
    }
    async function asynchronous(ctx: Context): Promise<string> {
      try {
        return await ctx.run(hang, ctx.options({ timeout: 50 }));
      } catch (error) {
        return ctx.run(() => codeOf(error));
      }
    }
    const { resonate, logged } = world.client({
      register: { fn: isGenerator ? generator : asynchronous },
    });

    expect(await resonate.run("w", "fn")).toBe("PROMISE_TIMED_OUT");

    expect(await aborted.promise).toMatchObject({ code: "PROMISE_TIMED_OUT" });
    expect(logged).toEqual([]);
  },
);

test("a server that refuses a step is named, with the step", async () => {
  const fn = async (ctx: Context) => ctx.run(() => 1);
  const client = world.client({ register: { fn } });
  client.network.intercept = (request) =>
    request.kind === "task.fence" ? refusal(request, 400, "origin differs") : (undefined as never);

  await client.resonate.beginRun("w", "fn");

  await client.logs("error", /'w' could not go on .*refused task.fence.* 400: origin differs/);
});

test("what a workflow awaits tells how it ended", async () => {
  const seen: unknown[] = [];
  async function fn(ctx: Context) {
    const canceled = ctx.promise();
    const late = ctx.promise({ timeout: 1 });
    const rejected = ctx.promise();
    for (const one of await Promise.allSettled([canceled, late, rejected])) {
      const { reason } = one as PromiseRejectedResult;
      seen.push([reason.name, reason.kind, reason.promiseId, reason.message]);
    }
  }
  const { resonate, network } = world.client({ register: { fn } });
  const parked = network.parked("w");
  const handle = await resonate.beginRun("w", "fn");
  await parked;
  await resonate.promises.cancel("w:0");
  await resonate.promises.rejectValue("w:2", new RangeError("too far"));
  await vi.advanceTimersByTimeAsync(10);
  await handle.result();

  expect(seen).toEqual([
    [
      "PromiseCanceledError",
      "RejectedCanceled",
      "w:0",
      expect.stringContaining("'w:0' was canceled"),
    ],
    ["PromiseTimedoutError", "RejectedTimedout", "w:1", expect.stringContaining("'w:1' reached")],
    ["RangeError", undefined, undefined, "too far"],
  ]);
});

test("an operation that is asked for after the end is not done and says so", async () => {
  let leaked: Context | undefined;
  const fn = async (ctx: Context) => {
    leaked = ctx;
  };
  const client = world.client({ register: { fn } });
  await client.resonate.run("w", "fn");

  leaked?.run(() => calls.push("ran"));

  expect(client.logged.map(({ message }) => message)).toEqual([
    expect.stringContaining("on the context of 'w' after its function had finished"),
  ]);
  expect(client.network.sent.map(idOf)).not.toContain("w:0");
});

test("arguments that make no sense throw where they are given", async () => {
  const seen: unknown[] = [];
  async function fn(ctx: Context) {
    for (const attempt of [
      () => ctx.sleep(Number.NaN),
      () => ctx.sleep({}),
      () => ctx.options({ timeout: -1 }),
      () => ctx.promise({ timeout: 0 }),
    ]) {
      try {
        attempt();
      } catch (error) {
        seen.push((error as ResonateError).code);
      }
    }
  }
  const { resonate } = world.client({ register: { fn } });

  await resonate.run("w", "fn", resonate.options({ retryPolicy: new Never() }));

  expect(seen).toEqual(Array(4).fill("ARGUMENT_INVALID"));
});
