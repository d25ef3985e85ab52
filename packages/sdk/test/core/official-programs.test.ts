/**
 * Programs as their users write them for the official SDK: only the import differs. That they compile is half
 * of the test.
 */
import { beforeEach, expect, test } from "vitest";
import { type Context, type Resonate, ResonateError } from "../../src/index.ts";
import { openWorld } from "./world.ts";

let resonate: Resonate;
beforeEach(async () => {
  resonate = (await openWorld()).client({ defaultTarget: "default" }).resonate;
});

test("recursive factorial by name, with a target", async () => {
  // biome-ignore lint/suspicious/noExplicitAny: as the official examples have it.
  function* factorial(ctx: Context, n: number): Generator<any, number, any> {
    if (n <= 1) return 1;
    const result = yield* ctx.rpc(
      "factorial",
      n - 1,
      ctx.options({ target: "poll://any@default" }),
    );
    return n * result;
  }
  resonate.register("factorial", factorial);

  const options = resonate.options({ target: "poll://any@default" });
  expect(await resonate.rpc("factorial-5", "factorial", 5, options)).toBe(120);
});

test("fan out with beginRun, fan in with yield*", async () => {
  interface Sent {
    readonly channel: string;
    readonly success: boolean;
  }
  async function sendEmail(_ctx: Context, to: string): Promise<Sent> {
    return { channel: `email ${to}`, success: true };
  }
  async function sendSms(_ctx: Context, to: string): Promise<Sent> {
    return { channel: `sms ${to}`, success: false };
  }
  // biome-ignore lint/suspicious/noExplicitAny: as the official examples have it.
  function* notifyAll(ctx: Context, to: string): Generator<any, unknown, any> {
    const email = yield* ctx.beginRun(sendEmail, to);
    const sms = yield* ctx.beginRun(sendSms, to);
    const results: Sent[] = [yield* email, yield* sms];
    return results.filter((result) => result.success).map((result) => result.channel);
  }
  const notify = resonate.register("notify", notifyAll);

  expect(await notify.run("order-1", "ada")).toEqual(["email ada"]);
});

test("an async workflow with all operations", async () => {
  async function greet(_: Context, name: string): Promise<string> {
    return `Hello, ${name}`;
  }
  async function workflow(ctx: Context, name: string): Promise<unknown[]> {
    const first = await ctx.run(greet, name);
    const second = ctx.rpc<string>("greet", name, ctx.options({ timeout: 60_000 }));
    const third = ctx.rpc(greet, name);
    await ctx.sleep(1);
    await ctx.detached("greet", "nobody");
    const now: number = await ctx.date.now();
    ctx.assert(now > 0, "time goes on");
    return [first, await second, (await third).length];
  }
  resonate.register(greet);
  resonate.register(workflow);

  expect(await resonate.run("w", workflow, "Ada")).toEqual(["Hello, Ada", "Hello, Ada", 10]);
});

test("lfi, lfc, rfi, rfc, sleeping, panics and dependencies", async () => {
  const double = (_: Context, n: number) => n * 2;
  // biome-ignore lint/suspicious/noExplicitAny: as the official examples have it.
  function* workflow(ctx: Context): Generator<any, number[], any> {
    const local = yield* ctx.lfi(double, 1);
    const remote = yield* ctx.rfi(double, 2);
    const values = [yield* ctx.lfc(double, 3), yield* ctx.rfc(double, 4)];
    yield* ctx.panic(false, "never");
    yield* ctx.assert(true, "always");
    yield* ctx.sleep({ for: 1 });
    const offset = ctx.getDependency<number>("offset") ?? 0;
    return [...values, yield* local, yield* remote].map((n) => n + offset);
  }
  resonate.setDependency("offset", 100);
  resonate.register("double", double);
  resonate.register("workflow", workflow);

  expect(await resonate.run("w", "workflow")).toEqual([106, 108, 102, 104]);
});

test("wrong arguments do not compile", () => {
  const double = (_: Context, n: number) => n * 2;
  function* workflow(ctx: Context) {
    // @ts-expect-error: a number is asked for.
    yield* ctx.run(double, "1");
    // @ts-expect-error: an argument is missing.
    yield* ctx.rpc(double);
    const value: number = yield* ctx.run(double, 1);
    // @ts-expect-error: the value is a number.
    const text: string = yield* ctx.run(double, 1);
    return [value, text];
  }

  expect(() => resonate.register("", workflow)).toThrow(ResonateError);
});

test("a generator that returns a future gives what the future gives", async () => {
  const { resonate } = (await openWorld()).client();
  const double = (_: Context, n: number) => n * 2;
  // biome-ignore lint/correctness/useYield: it hands over what it would wait for.
  function* workflow(ctx: Context) {
    return ctx.run(double, 21);
  }
  resonate.register(workflow);

  const value: number = await resonate.run("w", workflow);

  expect(value).toBe(42);
});
