/** Programs of the shapes that people bring from elsewhere, in both styles; they run embedded, in memory. */
import { type Context, Resonate, type ResonateHandle } from "@resonate-ts/sdk";
import { afterEach, expect, test } from "vitest";

const clients: Resonate[] = [];

/** A client that keeps nothing, of a group. */
function open(group = "default"): Resonate {
  const resonate = new Resonate({ group });
  clients.push(resonate);
  return resonate;
}

afterEach(async () => {
  for (const resonate of clients.splice(0)) await resonate.stop();
});

// Programs that come from elsewhere are typed like this.
// biome-ignore lint/suspicious/noExplicitAny: it is their type that is tried here.
type Program<T> = Generator<any, T, any>;

test("a recursive factorial, by rpc to a group, as a generator", async () => {
  const resonate = open("factorial-workers");
  const target = "poll://any@factorial-workers";
  const calls: number[] = [];
  function* factorial(ctx: Context, n: number): Program<number> {
    if (n <= 1) return 1;
    const result = yield* ctx.rpc("factorial", n - 1, ctx.options({ target }));
    calls.push(n);
    return n * result;
  }
  resonate.register("factorial", factorial);

  const options = resonate.options({ target });
  expect(await resonate.rpc("factorial-10", "factorial", 10, options)).toBe(3_628_800);
  expect(calls).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await resonate.rpc("factorial-10", "factorial", 10, options)).toBe(3_628_800);
  expect(calls).toHaveLength(9);
});

test("a recursive factorial, by rpc to a group, as an async function", async () => {
  const resonate = open("factorial-workers");
  const target = "poll://any@factorial-workers";
  async function factorial(ctx: Context, n: number): Promise<number> {
    if (n <= 1) return 1;
    return n * (await ctx.rpc<number>("factorial", n - 1, ctx.options({ target })));
  }
  resonate.register("factorial", factorial);

  const handle: ResonateHandle<number> = await resonate.beginRpc(
    "factorial-10",
    "factorial",
    10,
    resonate.options({ target }),
  );
  expect(handle.id).toBe("factorial-10");
  expect(await handle.result()).toBe(3_628_800);
});

interface Sent {
  readonly channel: string;
  readonly success: boolean;
}

/** Counts what each channel is asked; with `flaky`, push fails the first time. */
function channels() {
  const asked: string[] = [];
  const send = (channel: string) =>
    async function deliver(_ctx: Context, order: string, flaky = false): Promise<Sent> {
      asked.push(channel);
      if (flaky && asked.filter((one) => one === channel).length === 1) {
        throw new Error(`${channel} is down for ${order}`);
      }
      return { channel, success: true };
    };
  const [email, sms, slack, push] = [send("email"), send("sms"), send("slack"), send("push")];
  return { asked, email, sms, slack, push };
}

const ALL = ["email", "sms", "slack", "push"].map((channel) => ({ channel, success: true }));

test("notifying over four channels at once: only the one that failed is asked again (generator)", async () => {
  const { asked, email, sms, slack, push } = channels();
  const resonate = open();
  function* notifyAll(ctx: Context, order: string, crash: boolean): Program<Sent[]> {
    const emailFuture = yield* ctx.beginRun(email, order);
    const smsFuture = yield* ctx.beginRun(sms, order);
    const slackFuture = yield* ctx.beginRun(slack, order);
    const pushFuture = yield* ctx.beginRun(push, order, crash);
    return [yield* emailFuture, yield* smsFuture, yield* slackFuture, yield* pushFuture];
  }
  resonate.register("notifyAll", notifyAll);

  expect(await resonate.run("order.1", notifyAll, "1", true)).toEqual(ALL);
  expect(asked).toEqual(["email", "sms", "slack", "push", "push"]);
});

test("notifying over four channels at once: only the one that failed is asked again (async)", async () => {
  const { asked, email, sms, slack, push } = channels();
  const resonate = open();
  const notifyAll = async (ctx: Context, order: string, crash: boolean) => {
    const futures = [
      ctx.run(email, order),
      ctx.run(sms, order),
      ctx.run(slack, order),
      ctx.run(push, order, crash),
    ];
    const sent: Sent[] = [];
    for (const future of futures) sent.push(await future);
    return sent;
  };
  resonate.register("notifyAll", notifyAll);

  expect(await resonate.run("order.1", notifyAll, "1", true)).toEqual(ALL);
  expect(asked).toEqual(["email", "sms", "slack", "push", "push"]);
});

interface Crawled {
  readonly url: string;
  readonly depth: number;
  readonly children: readonly Crawled[];
}

const WEB: Readonly<Record<string, readonly string[]>> = {
  home: ["a", "b"],
  a: ["c", "home"],
  b: ["c"],
  c: [],
};

async function fetchLinks(_ctx: Context, url: string): Promise<readonly string[]> {
  return WEB[url] ?? [];
}

/** What a crawl of `home` finds, two links deep. */
const CRAWLED: Crawled = {
  url: "home",
  depth: 2,
  children: [
    {
      url: "a",
      depth: 1,
      children: [
        { url: "c", depth: 0, children: [] },
        { url: "home", depth: 0, children: [] },
      ],
    },
    { url: "b", depth: 1, children: [{ url: "c", depth: 0, children: [] }] },
  ],
};

test("a recursive crawl with a depth counter, by rpc, as a generator", async () => {
  const resonate = open();
  function* crawl(ctx: Context, url: string, depth: number): Program<Crawled> {
    const links = yield* ctx.run(fetchLinks, url);
    if (depth === 0) return { url, depth, children: [] };
    const futures = [];
    for (const link of links) futures.push(yield* ctx.beginRpc(crawl, link, depth - 1));
    const children: Crawled[] = [];
    for (const future of futures) children.push(yield* future);
    return { url, depth, children };
  }
  resonate.register(crawl);

  expect(await resonate.run("crawl/1", crawl, "home", 2)).toEqual(CRAWLED);
});

test("a recursive crawl with a depth counter, by rpc, as an async function", async () => {
  const resonate = open();
  async function crawl(ctx: Context, url: string, depth: number): Promise<Crawled> {
    const links = await ctx.run(fetchLinks, url);
    if (depth === 0) return { url, depth, children: [] };
    const children = links.map((link) => ctx.rpc<Crawled>("crawl", link, depth - 1));
    return { url, depth, children: await Promise.all(children) };
  }
  resonate.register(crawl);

  expect(await resonate.run("crawl/1", crawl, "home", 2)).toEqual(CRAWLED);
});

/** A step that takes a turn, and knows how many of it were under way at most. */
function meter() {
  let active = 0;
  let most = 0;
  const step = async (_ctx: Context, item: number): Promise<string> => {
    active++;
    most = Math.max(most, active);
    await new Promise((resolve) => setImmediate(resolve));
    active--;
    if (item % 4 === 3) throw new Error(`${item} cannot be processed`);
    return `processed ${item}`;
  };
  return { step, most: () => most };
}

const ITEMS = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12];

test("chunks bound how many steps are under way (generator)", async () => {
  const { step, most } = meter();
  const resonate = open();
  function* processBounded(ctx: Context, items: number[], concurrency: number): Program<string[]> {
    const results: string[] = [];
    for (let at = 0; at < items.length; at += concurrency) {
      const futures = items.slice(at, at + concurrency).map((item) => ctx.run(step, item));
      for (const future of futures) results.push(yield* future);
    }
    return results;
  }
  resonate.register(processBounded);

  const results = await resonate.run("bounded", processBounded, ITEMS, 3);

  expect(results).toEqual(ITEMS.map((item) => `processed ${item}`));
  expect(most()).toBe(3);
});

test("chunks bound how many steps are under way (async)", async () => {
  const { step, most } = meter();
  const resonate = open();
  async function processBounded(ctx: Context, items: number[], concurrency: number) {
    const results: string[] = [];
    for (let at = 0; at < items.length; at += concurrency) {
      const chunk = items.slice(at, at + concurrency);
      results.push(...(await Promise.all(chunk.map((item) => ctx.run(step, item)))));
    }
    return results;
  }
  resonate.register(processBounded);

  const results = await resonate.run("bounded", processBounded, ITEMS, 3);

  expect(results).toEqual(ITEMS.map((item) => `processed ${item}`));
  expect(most()).toBe(3);
});

type Tried = { readonly ok: string } | { readonly error: string };

const TRIED: readonly Tried[] = [
  { ok: "processed 1" },
  { ok: "processed 2" },
  { error: "3 cannot be processed" },
  { ok: "processed 4" },
  { error: "7 cannot be processed" },
];

test("errors of single steps are collected, and the others count (generator)", async () => {
  const { step } = meter();
  const resonate = open();
  function* tolerant(ctx: Context, items: number[]): Program<Tried[]> {
    const never = ctx.options({ nonRetryableErrors: [Error] });
    const futures = items.map((item) => ctx.run(step, item, never));
    const tried: Tried[] = [];
    for (const future of futures) {
      try {
        tried.push({ ok: yield* future });
      } catch (error) {
        tried.push({ error: error instanceof Error ? error.message : String(error) });
      }
    }
    return tried;
  }
  resonate.register(tolerant);

  expect(await resonate.run("tolerant", tolerant, [1, 2, 3, 4, 7])).toEqual(TRIED);
});

test("errors of single steps are collected, and the others count (async)", async () => {
  const { step } = meter();
  const resonate = open();
  async function tolerant(ctx: Context, items: number[]): Promise<Tried[]> {
    const never = ctx.options({ nonRetryableErrors: [Error] });
    const settled = await Promise.allSettled(items.map((item) => ctx.run(step, item, never)));
    return settled.map((one) =>
      one.status === "fulfilled" ? { ok: one.value } : { error: (one.reason as Error).message },
    );
  }
  resonate.register(tolerant);

  expect(await resonate.run("tolerant", tolerant, [1, 2, 3, 4, 7])).toEqual(TRIED);
});
