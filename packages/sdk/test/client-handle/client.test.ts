import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type Context,
  isResonateError,
  Never,
  PromiseCanceledError,
  PromiseTimedoutError,
  ServerRefusedError,
} from "../../src/index.ts";
import { refusal } from "../core/engine-network.ts";
import { gate, openWorld, type World } from "../core/world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => vi.useRealTimers());

const add = (_: Context, a: number, b: number) => a + b;

describe("run", () => {
  test("runs here and gives the result without asking the server for it", async () => {
    const { resonate, network } = world.client({ register: { add } });

    expect(await resonate.run("w", add, 1, 2)).toBe(3);
    // What the process tells of itself is no question, and comes when the stream opens.
    const kinds = network.sent.map(({ kind }) => kind).filter((kind) => kind !== "worker.announce");
    expect(kinds).toEqual(["task.create", "task.fulfill"]);
  });

  test("gives the stored outcome when the id exists, whatever the arguments", async () => {
    const { resonate } = world.client({ register: { add } });

    expect(await resonate.run("w", "add", 1, 2)).toBe(3);
    expect(await resonate.run("w", "add", 5, 6)).toBe(3);
    expect(await resonate.rpc("w", "add", 7, 8)).toBe(3);
  });

  test("only listens when another process has it", async () => {
    const proceed = gate<string>();
    const fn = () => proceed.promise;
    const one = world.client({ register: { fn } });
    const two = world.client({ register: { fn } });
    await one.resonate.beginRun("w", "fn");

    const listening = two.network.answered(({ request }) => {
      return request.kind === "promise.register_listener";
    });
    const result = two.resonate.run("w", "fn");
    await listening;
    proceed.resolve("from the other");

    expect(await result).toBe("from the other");
    expect(two.network.messages.map(({ kind }) => kind)).toEqual(["unblock"]);
  });

  test("twice at once in one process runs it once", async () => {
    let calls = 0;
    const fn = () => ++calls;
    const { resonate } = world.client({ register: { fn } });

    expect(await Promise.all([resonate.run("w", fn), resonate.run("w", fn)])).toEqual([1, 1]);
  });

  test("takes over a task that is parked here when the same call is made again", async () => {
    function* fn(ctx: Context) {
      return yield* yield* ctx.promise<string>();
    }
    const { resonate, network } = world.client({ register: { fn } });
    const parked = network.parked("w");
    const first = resonate.run("w", "fn");
    await parked;

    const second = resonate.run("w", "fn");
    await resonate.promises.resolveValue("w:0", "yes");

    expect(await Promise.all([first, second])).toEqual(["yes", "yes"]);
  });

  test("of a function that is not registered says so before anything is sent", async () => {
    const { resonate, network } = world.client();

    await expect(resonate.run("w", add, 1, 2)).rejects.toThrow(/'add' is not registered/);
    await expect(resonate.run("w", "add", 1, 2)).rejects.toThrow(/No function 'add'/);
    await expect(resonate.rpc("w", add, 1, 2)).rejects.toThrow(/'add' is not registered/);
    expect(network.sent).toEqual([]);
  });

  test("writes what every Resonate SDK writes", async () => {
    const { resonate } = world.client({ register: { add } });
    const options = { retryPolicy: new Never(), tags: { mine: "x" }, timeout: 60_000 };

    await resonate.run("w", "add", 1, 2, resonate.options(options));

    const { tags, timeoutAt, createdAt } = await resonate.promises.get("w");
    expect((await resonate.promises.getValue("w")).param).toEqual({
      func: "add",
      args: [1, 2],
      retry: { type: "never", data: {} },
      version: 1,
    });
    expect(tags).toEqual({
      mine: "x",
      "resonate:origin": "w",
      "resonate:branch": "w",
      "resonate:parent": "w",
      "resonate:scope": "global",
      "resonate:target": "poll://any@default/p1",
    });
    // Two clocks: the client's gives the deadline, the server's the creation.
    expect(Math.round((timeoutAt - createdAt) / 1_000)).toBe(60);
  });
});

describe("rpc", () => {
  test("is run by whoever serves the target", async () => {
    world.client({ group: "workers", register: { add } });
    const { resonate, network } = world.client({ group: "clients" });

    expect(await resonate.rpc("w", "add", 1, 2, resonate.options({ target: "workers" }))).toBe(3);
    expect(network.sent.map(({ kind }) => kind)).toEqual([
      "promise.create",
      "promise.register_listener",
    ]);
  });

  test("gives the result also where the question for it overtook the creation", async () => {
    world.client({ group: "workers", register: { add } });
    const { resonate, network } = world.client({ group: "clients" });
    const refused = gate();
    let creations = 0;
    network.intercept = async (request) => {
      if (request.kind === "promise.create" && creations++ === 0) await refused.promise;
      return undefined as never;
    };

    const asked = network.answered(({ answer }) => answer.head.status === 404);
    const result = resonate.rpc("w", "add", 1, 2, resonate.options({ target: "workers" }));
    await asked;
    refused.resolve();

    expect(await result).toBe(3);
  });

  test("throws what the function threw", async () => {
    const fn = () => {
      throw Object.assign(new RangeError("too far"), { code: "E_FAR" });
    };
    const { resonate } = world.client({ register: { fn }, defaultTarget: "default" });
    const options = resonate.options({ retryPolicy: new Never() });

    const error = await resonate.rpc("w", fn, options).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ name: "RangeError", message: "too far", code: "E_FAR" });
  });
});

describe("a handle", () => {
  test("tells canceled from timed out", async () => {
    const { resonate } = world.client();
    const canceled = await resonate.beginRpc("c", "nothing");
    const late = await resonate.beginRpc("t", "nothing", resonate.options({ timeout: 1 }));

    await resonate.promises.cancel("c");

    await expect(canceled.result()).rejects.toBeInstanceOf(PromiseCanceledError);
    await expect(late.result()).rejects.toBeInstanceOf(PromiseTimedoutError);
    await expect(late.result()).rejects.toMatchObject({ promiseId: "t" });
  });

  test("says whether it is done", async () => {
    const { resonate } = world.client();
    const handle = await resonate.beginRpc("w", "nothing");

    expect(await handle.done()).toBe(false);
    await resonate.promises.resolveValue("w", 5);
    expect(await handle.done()).toBe(true);
    expect(await handle.result()).toBe(5);
  });

  test("of a child can be had", async () => {
    const fn = async (ctx: Context) => ctx.run(add, 1, 2);
    const { resonate } = world.client({ register: { fn } });
    await resonate.run("w", "fn");

    expect(await (await resonate.get("w:0")).result()).toBe(3);
  });

  test("of nothing is refused with 404", async () => {
    const { resonate } = world.client();

    const error = await resonate.get("nothing").catch((reason: unknown) => reason);

    expect(isResonateError(error, "SERVER_REFUSED")).toBe(true);
    expect(error).toMatchObject({ status: 404 });
  });
});

describe("a lost message", () => {
  test("delays a result by a minute at most", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { resonate, network } = world.client();
    network.loses = ({ kind }) => kind === "unblock";
    const handle = await resonate.beginRpc("w", "nothing");
    const listening = network.answered(({ request }) => {
      return request.kind === "promise.register_listener";
    });
    const result = handle.result();
    await listening;

    await resonate.promises.resolveValue("w", "late");
    await vi.advanceTimersByTimeAsync(60_000);

    expect(await result).toBe("late");
  });

  test("is made up for when the stream opens again", async () => {
    const { resonate, network } = world.client();
    network.loses = ({ kind }) => kind === "unblock";
    const handle = await resonate.beginRpc("w", "nothing");
    const result = handle.result();
    await resonate.promises.resolveValue("w", "late");

    network.open();

    expect(await result).toBe("late");
  });
});

test("a promise that nobody may listen to is polled", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { resonate, network } = world.client();
  await resonate.promises.create("internal", Date.now() + 60_000);
  const handle = await resonate.get("internal");
  const polled = network.answered(({ request }) => request.kind === "promise.get");
  const result = handle.result();
  await polled;

  await resonate.promises.resolveValue("internal", 1);
  await vi.advanceTimersByTimeAsync(100);

  expect(await result).toBe(1);
});

test("a promise that this client may not wait for rejects with the refusal", async () => {
  const { resonate, network } = world.client();
  const handle = await resonate.beginRpc("w", "nothing");
  network.intercept = (request) =>
    request.kind === "promise.register_listener" ? refusal(request, 403) : (undefined as never);

  await expect(handle.result()).rejects.toBeInstanceOf(ServerRefusedError);
});

test("a server that is away is asked about a promise once at a time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { resonate, network } = world.client();
  const handle = await resonate.beginRpc("w", "nothing");
  let open = 0;
  let openMax = 0;
  network.intercept = async () => {
    openMax = Math.max(openMax, ++open);
    await new Promise((resolve) => setTimeout(resolve, 70_000));
    open--;
    throw new Error("away");
  };
  handle.result().catch(() => {});

  await vi.advanceTimersByTimeAsync(600_000);
  network.open();

  expect(openMax).toBe(1);
  network.intercept = () => undefined;
});

test("a result that is asked for after the stop is refused", async () => {
  const { resonate } = world.client();
  const handle = await resonate.beginRpc("w", "nothing");

  await resonate.stop();

  await expect(handle.result()).rejects.toMatchObject({ code: "STOPPED" });
});

test("a registered function is called through what registering it gave", async () => {
  const { resonate } = world.client({ defaultTarget: "default" });
  const first = resonate.register("fn", (_: Context, n: number) => `one ${n}`);
  const second = resonate.register("fn", (_: Context, n: number) => `two ${n}`, { version: 2 });
  const { options } = first;

  expect(await first.run("a", 1)).toBe("one 1");
  expect(await second.rpc("b", 2)).toBe("two 2");
  expect(await (await first.beginRpc("c", 3, options({ version: 2 }))).result()).toBe("two 3");
  expect(await (await second.beginRun("d", 4)).result()).toBe("two 4");
  expect(await resonate.run("e", "fn", 5)).toBe("two 5");
});

test("a schedule is put on record and taken away", async () => {
  const { resonate } = world.client({ register: { add } });

  const schedule = await resonate.schedule("daily", "0 0 * * *", add, 1, 2);
  const record = await resonate.schedules.get("daily");
  await schedule.delete();

  expect(record).toMatchObject({
    cron: "0 0 * * *",
    promiseId: "{{.id}}-{{.timestamp}}",
    promiseTimeout: 86_400_000,
    promiseTags: { "resonate:target": "poll://any@elsewhere" },
  });
  await expect(resonate.schedules.get("daily")).rejects.toMatchObject({ status: 404 });
});
