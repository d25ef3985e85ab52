/** What the simulated system is asked to do, and what that has to come to. */
import type { Context, Durable, DurableFunction, Resonate } from "@resonate-ts/sdk";
import type { Lab, Random } from "@resonate-ts/testing";

/** One call from outside. */
export interface Job {
  readonly id: string;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly expected: unknown;
  /** What somebody outside does for it. */
  readonly outside?: (lab: Lab) => Promise<void>;
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

const functions: Readonly<Record<string, DurableFunction>> = {
  approval,
  chain,
  chained,
  double,
  factorial,
  fanOut,
  naps,
  saga,
  unbook,
};

export function register(resonate: Resonate): void {
  for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn);
}

/** Jobs of all kinds; how large they are is chosen by chance. */
export function jobs(random: Random): readonly Job[] {
  const upTo = (n: number) => Math.floor(random() * (n + 1));
  const depth = 2 + upTo(6);
  const width = 2 + upTo(18);
  const times = 1 + upTo(3);
  return [
    { id: "factorial", fn: "factorial", args: [BigInt(depth)], expected: product(depth) },
    { id: "fan-out", fn: "fanOut", args: [width], expected: width * (width - 1) },
    { id: "saga", fn: "saga", args: [], expected: ["hotel cancelled", "flight cancelled"] },
    { id: "chain", fn: "chained", args: [1 + upTo(4)], expected: "the end" },
    { id: "naps", fn: "naps", args: [times, 1 + upTo(20_000)], expected: times },
    { id: "approval", fn: "approval", args: [], expected: "approved, checked", outside: approve },
  ];
}

async function approve(lab: Lab): Promise<void> {
  await lab.created("approval:0");
  await lab.until(lab.client.promises.resolveValue("approval:0", "approved"));
}

function product(n: number): bigint {
  return n <= 1 ? 1n : BigInt(n) * product(n - 1);
}
