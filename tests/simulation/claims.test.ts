/** What is said of these patterns where they are explained: each sentence a test. */
import type { Context, Durable } from "@resonate-ts/sdk";
import { type Lab, type LabOptions, openLab } from "@resonate-ts/testing";
import { afterEach, describe, expect, test } from "vitest";

const labs: Lab[] = [];

async function open(options: LabOptions): Promise<Lab> {
  const lab = await openLab(options);
  labs.push(lab);
  return lab;
}

afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close({ abandon: true });
});

/** How often each promise's function was entered, by the name of the promise. */
function entered(lab: Lab, ...ids: readonly string[]): readonly number[] {
  return ids.map((id) => lab.entered.get(id) ?? 0);
}

describe("parallel work with durable fan-in", () => {
  const CHANNELS = { email: 300, sms: 100, slack: 200, push: 800 } as const;
  type Channel = keyof typeof CHANNELS;

  /** Four channels that take their time. */
  async function openChannels(options: LabOptions = {}): Promise<Lab> {
    async function send(_ctx: Context, channel: Channel): Promise<string> {
      await lab.delay(CHANNELS[channel]);
      return `${channel} sent`;
    }
    function* notifyAll(ctx: Context): Durable<string[]> {
      const futures = Object.keys(CHANNELS).map((channel) => ctx.run(send, channel as Channel));
      const sent: string[] = [];
      for (const future of futures) sent.push(yield* future);
      return sent;
    }
    const lab = await open({ ...options, register: { notifyAll } });
    return lab;
  }
  const SENT = ["email sent", "sms sent", "slack sent", "push sent"];

  test("the time it takes is that of the slowest channel, not the sum", async () => {
    const lab = await openChannels();
    const before = lab.now();

    await lab.run("order", "notifyAll");

    expect(lab.now() - before).toBe(800);
  });

  test("channels end in any order; results are in the order of the channels", async () => {
    const lab = await openChannels();

    expect(await lab.run("order", "notifyAll")).toEqual(SENT);
  });

  test("each channel is a promise of its own in the tree", async () => {
    const lab = await openChannels();
    await lab.run("order", "notifyAll");

    const { children } = await lab.tree("order");

    expect(children.map(({ id, kind, func, state }) => [id, kind, func, state])).toEqual(
      [0, 1, 2, 3].map((n) => [`order:${n}`, "run", "send", "resolved"]),
    );
  });

  test("a worker that is killed in mid-flight costs the channels that were in flight, and no other", async () => {
    const lab = await openChannels();
    const handle = await lab.client.beginRpc("order", "notifyAll");
    await lab.advance("250ms");

    for (const worker of lab.workers) {
      worker.crash();
      await lab.advance("1h");
      worker.start();
    }

    expect(await lab.until(handle.result())).toEqual(SENT);
    // Slack and sms were done.
    expect(entered(lab, "order:0", "order:1", "order:2", "order:3")).toEqual([2, 1, 1, 2]);
  });

  test("a worker that is killed before any channel is done starts all of them again, under the same ids", async () => {
    const lab = await openChannels({ workers: 2 });
    const handle = await lab.client.beginRpc("order", "notifyAll");
    await lab.advance("50ms");

    const holder = await lab.server.holder("order");
    lab.workers.find(({ name }) => name === holder)?.crash();

    expect(await lab.until(handle.result())).toEqual(SENT);
    expect((await lab.tree("order")).children).toHaveLength(4);
  });
});

describe("recursive fan-out", () => {
  async function enrich({ id }: Context, order: string): Promise<string> {
    if (order === "bad") throw new RangeError(`${order} cannot be enriched (${id})`);
    return `enriched ${order}`;
  }
  async function batch(ctx: Context, orders: string[]): Promise<string[]> {
    const never = ctx.options({ nonRetryableErrors: [RangeError] });
    return Promise.all(orders.map((order) => ctx.run(enrich, order, never)));
  }
  async function remoteBatch(ctx: Context, orders: string[]): Promise<string[]> {
    return Promise.all(orders.map((order) => ctx.rpc<string>("enrich", order)));
  }

  test("a child is on record before it runs", async () => {
    const seen: boolean[] = [];
    async function looking(ctx: Context): Promise<void> {
      seen.push(await lab.server.exists(ctx.id));
    }
    async function parent(ctx: Context): Promise<void> {
      await Promise.all([ctx.run(looking), ctx.run(looking)]);
    }
    const lab = await open({ register: { parent } });

    await lab.run("p", parent);

    expect(seen).toEqual([true, true]);
  });

  test("the error of a child is thrown where it is awaited, and is the parent's unless it is caught", async () => {
    const lab = await open({ register: { batch } });

    await expect(lab.run("b", batch, ["a", "bad", "c"])).rejects.toMatchObject({
      name: "RangeError",
      message: "bad cannot be enriched (b:1)",
    });
  });

  test("children that are called remotely are spread over all workers of the group", async () => {
    const orders = Array.from({ length: 30 }, (_, n) => `${n}`);
    const by = new Map<string, number>();
    const lab = await open({
      workers: 3,
      register: { enrich, remoteBatch },
      onCall: ({ name, process }) => {
        if (name === "enrich") by.set(process, (by.get(process) ?? 0) + 1);
      },
    });

    await lab.run("b", remoteBatch, orders);

    expect([...by.keys()].sort()).toEqual(["worker-0", "worker-1", "worker-2"]);
  });

  test("a chunk starts when the one before it has ended, not earlier", async () => {
    const times: number[] = [];
    async function timed(_ctx: Context, n: number): Promise<number> {
      times.push(lab.now() - start);
      await lab.delay(100 * n);
      return n;
    }
    function* bounded(ctx: Context, items: number[], size: number): Durable<number[]> {
      const results: number[] = [];
      for (let at = 0; at < items.length; at += size) {
        const chunk = items.slice(at, at + size).map((item) => ctx.run(timed, item));
        for (const future of chunk) results.push(yield* future);
      }
      return results;
    }
    const lab = await open({ register: { bounded } });
    const start = lab.now();

    expect(await lab.run("b", bounded, [1, 3, 2, 2, 1], 2)).toEqual([1, 3, 2, 2, 1]);

    expect(times).toEqual([0, 0, 300, 300, 500]);
  });
});

describe("recursion over workers, with cached results", () => {
  /** Every call takes a second before it calls, and one afterwards. */
  async function openFactorial(options: LabOptions = {}): Promise<Lab> {
    function* factorial(ctx: Context, n: number): Durable<number> {
      yield* ctx.sleep(1_000);
      if (n <= 1) return 1;
      const id = `factorial-${n - 1}`;
      const rest = yield* ctx.rpc<number>("factorial", n - 1, ctx.options({ id }));
      yield* ctx.sleep(1_000);
      return n * rest;
    }
    return open({ workers: 3, ...options, register: { factorial } });
  }

  /** The numbers whose factorial was worked on. */
  function computed(lab: Lab): readonly number[] {
    const ids = [...lab.entered.keys()].filter((id) => !id.includes(":"));
    return ids.map((id) => Number(id.slice("factorial-".length))).sort((a, b) => a - b);
  }

  test("calls go to all workers of the group", async () => {
    const processes = new Set<string>();
    const lab = await openFactorial({ onCall: ({ process }) => processes.add(process) });

    expect(await lab.run("factorial-10", "factorial", 10)).toBe(3_628_800);

    expect(processes.size).toBe(3);
  });

  test("a call that was made before gives the stored value, and enters nothing", async () => {
    const lab = await openFactorial();
    await lab.run("factorial-6", "factorial", 6);
    const before = [...lab.entered.values()];

    expect(await lab.run("factorial-6", "factorial", 6)).toBe(720);

    expect([...lab.entered.values()]).toEqual(before);
  });

  test("a smaller number after a larger one computes nothing new, a larger one only what is new", async () => {
    const lab = await openFactorial();
    await lab.run("factorial-8", "factorial", 8);
    expect(computed(lab)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const before = [...lab.entered];

    expect(await lab.run("factorial-5", "factorial", 5)).toBe(120);
    expect([...lab.entered]).toEqual(before);

    expect(await lab.run("factorial-10", "factorial", 10)).toBe(3_628_800);
    expect(computed(lab)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(lab.entered.get("factorial-8")).toBe(before.find(([id]) => id === "factorial-8")?.[1]);
  });

  test("results do not expire", async () => {
    const lab = await openFactorial();
    await lab.run("factorial-4", "factorial", 4);
    const before = [...lab.entered];

    await lab.advance("400d");

    expect(await lab.run("factorial-4", "factorial", 4)).toBe(24);
    expect([...lab.entered]).toEqual(before);
  });

  test("a worker that is killed in the middle hands over what it held; what was done stays done", async () => {
    const lab = await openFactorial();
    const handle = await lab.client.beginRpc<number>("factorial-20", "factorial", 20);
    // Down to 1, and some way up again.
    await lab.advance("28s");
    const done: string[] = [];
    for (let n = 1; n <= 20; n++) {
      const id = `factorial-${n}`;
      if (await (await lab.client.get(id)).done()) done.push(id);
    }
    const before = new Map(lab.entered);
    expect(done).toHaveLength(9);

    lab.workers[0]?.crash();

    expect(await lab.until(handle.result())).toBe(2_432_902_008_176_640_000);
    expect(done.map((id) => lab.entered.get(id))).toEqual(done.map((id) => before.get(id)));
    expect(lab.enteredAgain).toEqual([]);
  });

  test("one worker that is left is enough", async () => {
    const lab = await openFactorial();
    const handle = await lab.client.beginRpc<number>("factorial-10", "factorial", 10);
    await lab.advance("3s");

    for (const worker of lab.workers.slice(1)) worker.crash();

    expect(await lab.until(handle.result(), { within: "1m" })).toBe(3_628_800);
  });
});
