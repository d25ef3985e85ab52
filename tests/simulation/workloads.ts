/** What the simulated system is asked to do, and what that has to come to. */
import {
  type Context,
  type Durable,
  type DurableFunction,
  isResonateError,
  Never,
  type Resonate,
} from "@resonate-ts/sdk";
import type { Lab, Random } from "@resonate-ts/testing";

/** One call from outside. */
export interface Job {
  readonly id: string;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly expected: unknown;
  /** What somebody outside does for it. */
  readonly outside?: (lab: Lab, id: string) => Promise<void>;
}

async function double(_ctx: Context, n: number): Promise<number> {
  return 2 * n;
}

function* factorial(ctx: Context, n: bigint): Durable<bigint> {
  return n <= 1n ? 1n : n * (yield* ctx.rpc<bigint>("factorial", n - 1n));
}

/** Half of it here, half of it on whoever is free. */
async function fanOut(ctx: Context, count: number): Promise<number> {
  const parts = Array.from({ length: count }, (_, n) => {
    return n % 2 === 0 ? ctx.run(double, n) : ctx.rpc<number>("double", n);
  });
  return (await Promise.all(parts)).reduce((sum, part) => sum + part, 0);
}

async function book(_ctx: Context, what: string): Promise<string> {
  if (what === "car") throw new Error("no cars");
  return `${what} booked`;
}

async function unbook(_ctx: Context, what: string): Promise<string> {
  return `${what} cancelled`;
}

function* saga(ctx: Context): Durable<string[]> {
  const done: string[] = [];
  try {
    for (const what of ["flight", "hotel", "car"]) {
      yield* ctx.run(book, what, ctx.options({ nonRetryableErrors: [Error] }));
      done.push(what);
    }
    return done;
  } catch {
    const undone: string[] = [];
    for (const what of done.reverse()) undone.push(yield* ctx.rpc("unbook", what));
    return undone;
  }
}

/** Each link starts the next one and ends; the last one settles what the first caller waits for. */
async function chain(ctx: Context, left: number, last: string): Promise<string> {
  if (left === 0) return "the end";
  const options = left === 1 ? ctx.options({ id: last }) : ctx.options();
  await ctx.run(double, left);
  return (ctx.detached("chain", left - 1, last, options) as { readonly id: string }).id;
}

/** Starts a chain, and waits for its last link. */
function* chained(ctx: Context, length: number): Durable<string> {
  const last = `${ctx.id}/last`;
  yield* ctx.detached("chain", length, last);
  return yield* ctx.rpc<string>("chain", 0, last, ctx.options({ id: last }));
}

async function naps(ctx: Context, times: number, ms: number): Promise<number> {
  let slept = 0;
  for (; slept < times; slept++) {
    await ctx.sleep(ms);
    await ctx.run(double, slept);
  }
  return slept;
}

function* approval(ctx: Context): Durable<string> {
  const asked = yield* ctx.promise<string>();
  const checked = yield* ctx.beginRun(flaky);
  return `${yield* asked}, ${yield* checked}`;
}

async function flaky(ctx: Context): Promise<string> {
  if (ctx.info.attempt === 1) throw new Error("not at the first attempt");
  return "checked";
}

/** A web of `size` pages: a tree with links across it, some of them to pages that are not there. */
function linksOf(page: number, size: number): readonly number[] {
  return [2 * page + 1, 2 * page + 2, (7 * page + 3) % (size + 2)];
}

async function fetchPage(_ctx: Context, page: number, size: number): Promise<readonly number[]> {
  if (page >= size) throw new Error("404");
  return linksOf(page, size);
}

/** Visits every page once, a few at a time, here and on whoever is free; gives those that are there. */
function* crawl(ctx: Context, size: number): Durable<number[]> {
  const seen = new Set([0]);
  const found: number[] = [];
  for (let wave = [0]; wave.length > 0; ) {
    const outcomes = yield* ctx.map(wave, visit, { concurrency: 3, onError: "collect" });
    const next = wave.flatMap((page, at) => {
      const outcome = outcomes[at];
      if (outcome?.status !== "fulfilled") return [];
      found.push(page);
      return outcome.value;
    });
    wave = [...new Set(next)].filter((page) => !seen.has(page));
    for (const page of wave) seen.add(page);
  }
  return found.sort((a, b) => a - b);

  function* visit(own: Context, page: number): Durable<readonly number[]> {
    const options = own.options({ retryPolicy: new Never() });
    if (page % 2 === 0) return yield* own.run(fetchPage, page, size, options);
    return yield* own.rpc<readonly number[]>("fetchPage", page, size, options);
  }
}

const functions: Readonly<Record<string, DurableFunction>> = {
  approval,
  chain,
  chained,
  crawl,
  double,
  factorial,
  fetchPage,
  fanOut,
  naps,
  saga,
  unbook,
};

export function register(resonate: Resonate): void {
  for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn);
}

/** Jobs of all kinds, some of each; how large they are is chosen by chance. */
export function jobs(random: Random, ofEach: number): readonly Job[] {
  return Array.from({ length: ofEach }, (_, n) => oneOfEach(random, n === 0 ? "" : `-${n}`)).flat();
}

function oneOfEach(random: Random, suffix: string): readonly Job[] {
  const upTo = (n: number) => Math.floor(random() * (n + 1));
  const depth = 2 + upTo(6);
  const width = 2 + upTo(18);
  const times = 1 + upTo(3);
  const pages = 1 + upTo(12);
  const all = Array.from({ length: pages }, (_, page) => page);
  const jobs: readonly Job[] = [
    { id: "factorial", fn: "factorial", args: [BigInt(depth)], expected: product(depth) },
    { id: "fan-out", fn: "fanOut", args: [width], expected: width * (width - 1) },
    { id: "saga", fn: "saga", args: [], expected: ["hotel cancelled", "flight cancelled"] },
    { id: "chain", fn: "chained", args: [1 + upTo(4)], expected: "the end" },
    { id: "naps", fn: "naps", args: [times, 1 + upTo(20_000)], expected: times },
    { id: "crawl", fn: "crawl", args: [pages], expected: all },
    { id: "approval", fn: "approval", args: [], expected: "approved, checked", outside: approve },
  ];
  return jobs.map((job) => ({ ...job, id: `${job.id}${suffix}` }));
}

async function approve(lab: Lab, id: string): Promise<void> {
  await lab.created(`${id}:0`);
  const approving = () => lab.client.promises.resolveValue(`${id}:0`, "approved");
  await insist(() => lab.until(approving()));
}

/** Asks again where the way to the server was so bad for a minute that the SDK gave up. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isResonateError(error, "SERVER_UNREACHABLE")) throw error;
    }
  }
}

function product(n: number): bigint {
  return n <= 1 ? 1n : BigInt(n) * product(n - 1);
}
