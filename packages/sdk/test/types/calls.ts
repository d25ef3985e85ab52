/** What compiles, and what does not: checked with the types of this package. Nothing here runs. */
import type * as eager from "../../src/async.ts";
import { type Context, Options, type Resonate, type ResonateHandle } from "../../src/index.ts";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
function is<A, B>(_: Equal<A, B>): void {}

const add = (_: Context, a: number, b: number) => a + b;
const join = async (_: Context, parts: string[], by?: string) => parts.join(by);
function* countdown(ctx: Context, from: number): Generator<unknown, Date, unknown> {
  yield* ctx.sleep(from);
  return new Date(0);
}
type Declared = { add: typeof add; join: typeof join; countdown: typeof countdown };

export async function byFunction(resonate: Resonate, options: Options): Promise<void> {
  const sum = await resonate.run("a", add, 1, 2);
  is<typeof sum, number>(true);
  const text = await resonate.rpc("b", join, ["a"], ",", options);
  is<typeof text, string>(true);
  const handle = await resonate.beginRun("c", countdown, 3, options);
  is<typeof handle, ResonateHandle<Date>>(true);
  // @ts-expect-error: an argument of another type
  resonate.run("a", add, 1, "2");
  // @ts-expect-error: an argument is missing
  resonate.run("a", add, 1);
  // @ts-expect-error: one argument too many
  resonate.run("a", add, 1, 2, 3);
  // @ts-expect-error: a plain object is not options
  resonate.run("a", add, 1, 2, { timeout: 5 });
}

export async function byName(resonate: Resonate): Promise<void> {
  const anything = await resonate.run("a", "whatever", 1, "2");
  anything.is.any;
  const said = await resonate.rpc<number>("a", "whatever");
  is<typeof said, number>(true);
}

export async function declared(resonate: Resonate<Declared>): Promise<void> {
  const sum = await resonate.run("a", "add", 1, 2);
  is<typeof sum, number>(true);
  const date = await (await resonate.beginRpc("a", "countdown", 2)).result();
  is<typeof date, Date>(true);
  resonate.schedule("daily", "0 0 * * *", "add", 1, 2, resonate.options({ timeout: 5 }));
  // @ts-expect-error: an argument of another type
  resonate.run("a", "add", 1, "2");
  // @ts-expect-error: a name that is not declared
  resonate.run("a", "subtract", 1, 2);
  // @ts-expect-error: arguments of schedules are checked, too
  resonate.schedule("daily", "0 0 * * *", "join", 1);
}

export function* inGenerators(ctx: Context<Declared>): Generator<unknown, void, unknown> {
  is<number, ReturnType<typeof add>>(true);
  const sum = yield* ctx.run("add", 1, 2);
  is<typeof sum, number>(true);
  const future = yield* ctx.beginRpc("join", ["a"], ",", ctx.options({ target: "x" }));
  const text = yield* future;
  is<typeof text, string>(true);
  const both = yield* ctx.all([ctx.run(add, 1, 2), ctx.rpc("join", ["a"]), true as const]);
  is<typeof both, [number, string, true]>(true);
  const settled = yield* ctx.allSettled([ctx.run(countdown, 1)]);
  is<typeof settled, [PromiseSettledResult<Date>]>(true);
  const first = yield* ctx.race([ctx.run(add, 1, 2), ctx.rpc("join", ["a"])]);
  is<typeof first, number | string>(true);
  const dates = yield* ctx.map([1, 2], countdown, { concurrency: 2 });
  is<typeof dates, Date[]>(true);
  const named = yield* ctx.map([1, 2], "countdown", { via: "rpc", onError: "collect" });
  is<typeof named, PromiseSettledResult<Date>[]>(true);
  // @ts-expect-error: an argument of another type
  ctx.run("add", 1, "2");
  // @ts-expect-error: a name that is not declared
  ctx.rpc("subtract", 1);
  // @ts-expect-error: items of another type
  ctx.map(["a"], countdown);
  // @ts-expect-error: items of another type
  ctx.map(["a"], "countdown");
  // @ts-expect-error: there is no such option
  ctx.options({ timeuot: 5 });
}

export async function inAsync(ctx: Context): Promise<void> {
  const sum = await ctx.run(add, 1, 2);
  is<typeof sum, number>(true);
  const said = await ctx.rpc<string>("whatever", 1);
  is<typeof said, string>(true);
  const many = await Promise.all([ctx.run(add, 1, 2), ctx.run(join, ["a"])]);
  is<typeof many, [number, string]>(true);
  const raced = await ctx.race(
    [1, 2].map((n) => ctx.run(add, n, n)),
    { cancelLosers: true },
  );
  is<typeof raced, number>(true);
  // @ts-expect-error: an argument of another type
  ctx.run(join, "a");
}

export function registration(resonate: Resonate): void {
  const bound = resonate.register(add, { key: (a, b) => `sum-${a + b}`, version: 2 });
  const result: Promise<number> = bound.run("a", 1, 2);
  void result;
  resonate.register("inline", (ctx, n: number) => ctx.run(add, n, 1));
  // @ts-expect-error: the key takes the arguments of the function
  resonate.register(join, { key: (n: number) => `${n}` });
  // @ts-expect-error: an argument of another type
  bound.run("a", "1", 2);
  // @ts-expect-error: options are made by options(…)
  new Options({ retries: 3 });
}

type Eager = { add: typeof addEagerly };
async function addEagerly(ctx: eager.Context<Eager>, a: number): Promise<number> {
  return (await ctx.run("add", a)) + a;
}

export async function eagerly(resonate: eager.Resonate<Eager>): Promise<void> {
  const handle = await resonate.run("a", addEagerly, 1);
  is<typeof handle, ResonateHandle<number>>(true);
  const named = await resonate.rpc("a", "add", 1);
  is<typeof named, ResonateHandle<number>>(true);
  resonate.register("inline", async (ctx, n: number) => {
    const { id } = await ctx.detached(addEagerly, n);
    is<typeof id, string>(true);
    const value = await ctx.promise<boolean>();
    is<typeof value, boolean>(true);
  });
  // @ts-expect-error: an argument of another type
  resonate.run("a", addEagerly, "1");
  // @ts-expect-error: a name that is not declared
  resonate.run("a", "subtract");
}
