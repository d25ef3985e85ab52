/** Claims that come with the offer: which of them count, and how the server hears of them. */
import type { ClaimedTask, Message } from "@resonate-ts/protocol";
import { EXTENSIONS } from "@resonate-ts/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Context } from "../../src/index.ts";
import { makeRequest } from "../../src/network/envelope.ts";
import { type Client, gate, openWorld, WITHOUT_CLAIMS, type World } from "../core/world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => vi.useRealTimers());

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Puts a call on record that nobody serves, and claims it for this process as the server would. */
async function claimFor(pid: string, id: string): Promise<ClaimedTask> {
  const { resonate } = world.client({ group: "callers" });
  await resonate.beginRpc(id, "fn", resonate.options({ target: "nobody" }));
  const data = { id, version: 0, pid, ttl: 60_000 };
  const [answer] = await world.engine.process([makeRequest("task.acquire", data)]);
  return (answer as { data: ClaimedTask }).data;
}

function given(data: ClaimedTask): Message {
  return { kind: "execute", head: {}, data };
}

const announced = ({ network }: Client) =>
  network.sent.flatMap(({ kind, data }) => (kind === "worker.announce" ? [data] : []));

describe("functions are announced", () => {
  test("with their versions, after each opening, and again when there are more", async () => {
    const client = world.client({
      extensions: EXTENSIONS,
      maxConcurrentTasks: 7,
      ttl: 9_000,
      register: { a: () => 1 },
    });
    client.resonate.register("a", () => 2, { version: 3 });
    await client.network.init();
    await turn();
    client.network.open();
    await turn();
    client.resonate.register("b", () => 1);
    client.resonate.register("c", () => 1);
    await turn();

    const place = { group: "default", pid: "p1", ttl: 9_000, slots: 7 };
    expect(announced(client)).toEqual([
      { ...place, functions: { a: [1, 3] } },
      { ...place, functions: { a: [1, 3] } },
      { ...place, functions: { a: [1, 3], b: [1], c: [1] } },
    ]);
  });

  test("not where there are none, nor to a server that gives no claims", async () => {
    const none = world.client();
    const base = world.client({ register: { a: () => 1 }, extensions: WITHOUT_CLAIMS });
    await none.network.init();
    await base.network.init();
    await turn();

    expect([...announced(none), ...announced(base)]).toEqual([]);
  });
});

describe("a claim that is given", () => {
  test("is run without being asked for, and once if it comes twice", async () => {
    let runs = 0;
    const client = world.client({
      extensions: EXTENSIONS,
      pid: "p",
      register: { fn: () => ++runs },
    });
    const claim = await claimFor("p", "w");

    client.network.deliver(given(claim));
    client.network.deliver(given(claim));

    expect(await (await client.resonate.get("w")).result()).toBe(1);
    expect(client.network.summary("task.acquire", "task.release")).toEqual([]);
  });

  test("takes the place of an older one, whose signal fires", async () => {
    const signals: AbortSignal[] = [];
    const started = [gate(), gate()];
    const fn = ({ signal }: Context) => {
      signals.push(signal);
      started[signals.length - 1]?.resolve();
      return new Promise(() => {});
    };
    const client = world.client({ extensions: EXTENSIONS, pid: "p", register: { fn } });
    const { task, ...rest } = await claimFor("p", "w");
    client.network.deliver(given({ task, ...rest }));
    await started[0]?.promise;

    client.network.deliver(given({ task: { ...task, version: 2 }, ...rest }));
    await started[1]?.promise;

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(signals[0]?.reason).toMatchObject({ code: "LEASE_LOST" });
    client.network.deliver(given({ task, ...rest }));
    await turn();
    expect(signals.length).toBe(2);
  });

  test("is given back where there is no room for it", async () => {
    const started = gate();
    const fn = () => {
      started.resolve();
      return new Promise(() => {});
    };
    const client = world.client({
      extensions: EXTENSIONS,
      pid: "p",
      maxConcurrentTasks: 1,
      register: { fn },
    });
    client.network.deliver(given(await claimFor("p", "w")));
    await started.promise;
    const released = client.network.answered(({ request }) => request.kind === "task.release");

    client.network.deliver(given(await claimFor("p", "v")));

    expect((await released).answer.head.status).toBe(200);
    expect(client.network.summary("task.release")).toEqual(["task.release v"]);
  });

  test("while its task is being parked is taken up after that, where it was", async () => {
    let entered = 0;
    function* fn(ctx: Context): Generator<unknown, string, unknown> {
      entered += 1;
      return yield* yield* ctx.promise<string>();
    }
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { fn } });
    // The answer to the park comes after the claim that follows it.
    const claimed = gate();
    network.intercept = (request) => {
      if (request.kind !== "task.suspend") return undefined as never;
      network.intercept = () => undefined;
      return world.engine.process([request]).then(async ([answer]) => {
        await resonate.promises.resolveValue("w:0", "x");
        while (!network.messages.some(({ data }) => "preload" in data)) await turn();
        claimed.resolve();
        return answer as never;
      });
    };

    expect(await resonate.run("w", "fn")).toBe("x");

    await claimed.promise;
    expect(entered).toBe(1);
    expect(network.summary("task.acquire", "task.release")).toEqual([]);
  });

  test("while its task is being parked is given back when the process stops", async () => {
    function* fn(ctx: Context): Generator<unknown, string, unknown> {
      return yield* yield* ctx.promise<string>();
    }
    const { resonate, network } = world.client({
      extensions: EXTENSIONS,
      pid: "p",
      register: { fn },
    });
    const parking = gate();
    network.intercept = (request) => {
      if (request.kind !== "task.suspend") return undefined as never;
      parking.resolve();
      return new Promise<never>(() => {});
    };
    const { task, ...rest } = await claimFor("p", "w");
    network.deliver(given({ task, ...rest }));
    await parking.promise;
    network.deliver(given({ task: { ...task, version: 2 }, ...rest }));

    await resonate.stop();

    const released = network.sent.filter(({ kind }) => kind === "task.release");
    expect(released.map(({ data }) => data)).toEqual(
      [1, 2].map((version) => ({ id: "w", version })),
    );
  });

  test("is confirmed by a heartbeat within a second, if it is still held then", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const started = gate();
    const long = () => {
      started.resolve();
      return new Promise(() => {});
    };
    const fn = ({ id }: Context) => (id === "w" ? long() : "short");
    const client = world.client({ extensions: EXTENSIONS, pid: "p", register: { fn } });
    client.network.deliver(given(await claimFor("p", "v")));
    client.network.deliver(given(await claimFor("p", "w")));
    await started.promise;

    await vi.advanceTimersByTimeAsync(500);

    const beats = client.network.sent.filter(({ kind }) => kind === "task.heartbeat");
    expect(beats.map(({ data }) => data)).toEqual([{ pid: "p", tasks: [{ id: "w", version: 1 }] }]);
  });

  test("for which only what is new came along is replayed from the record, if it is not in memory", async () => {
    const ran: string[] = [];
    const step = (_: Context, name: string) => {
      ran.push(name);
      return name;
    };
    function* fn(ctx: Context): Generator<unknown, string, unknown> {
      const a = yield* ctx.run(step, "a");
      return a + (yield* yield* ctx.promise<string>());
    }
    // The server takes it for warm: it does not know how much this process keeps.
    const { resonate, network } = world.client({
      extensions: EXTENSIONS,
      register: { fn },
      warmExecutionsMax: 0,
    });
    const parked = network.parked("w");
    const handle = await resonate.beginRun("w", "fn");
    await parked;
    await resonate.promises.resolveValue("w:1", "b");

    expect(await handle.result()).toBe("ab");
    expect(ran).toEqual(["a"]);
    expect(network.messages.map(({ head }) => head)).toContainEqual({
      "resonate:preload": "delta",
    });
  });
});
