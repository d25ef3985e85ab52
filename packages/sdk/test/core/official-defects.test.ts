/** What was found wrong in the official SDK and is tested nowhere else: here it is right. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Context, type Durable, isResonateError, Resonate } from "../../src/index.ts";
import { readSettings } from "../../src/settings.ts";
import { FakeServer } from "../network/fake-server.ts";
import { gate, openWorld } from "./world.ts";

test("the token of the environment opens the stream of messages, too", async () => {
  const server = await FakeServer.start();
  const env = { RESONATE_URL: server.url, RESONATE_TOKEN: "jwt" };
  const resonate = new Resonate({ network: readSettings({}, env).network });

  await resonate.get("w").catch(() => {});
  await resonate.stop();
  await server.close();

  expect(server.polls.map(({ headers }) => headers.authorization)).toEqual(["Bearer jwt"]);
  expect(server.headers.map(({ authorization }) => authorization)).toEqual(["Bearer jwt"]);
  expect(server.requests.map(({ head }) => head.auth)).toEqual(["jwt"]);
});

test("without a server a job that takes longer than its lease is not started again", async () => {
  const resonate = new Resonate({ ttl: 1_000 });
  let entered = 0;
  resonate.register("long", async (ctx: Context) => {
    entered += 1;
    await ctx.run(() => wait(2_500));
    return "done";
  });

  expect(await resonate.run("w", "long")).toBe("done");

  expect(entered).toBe(1);
  await resonate.stop();
});

describe("a step that has ended is given to the workflow while another one runs", () => {
  const workflows = () => {
    const blocker = gate<string>();
    const blocked = () => blocker.promise;
    const quick = () => "quick";
    return {
      *generator(ctx: Context): Durable<string[]> {
        const late = yield* ctx.beginRun(blocked);
        const early = yield* ctx.run(quick);
        blocker.resolve("late");
        return [early, yield* late];
      },
      async asynchronous(ctx: Context): Promise<string[]> {
        const late = ctx.run(blocked);
        const early = await ctx.run(quick);
        blocker.resolve("late");
        return [early, await late];
      },
    };
  };

  test.each(["generator", "asynchronous"] as const)("%s", async (name) => {
    const { resonate } = (await openWorld()).client();
    resonate.register("workflow", workflows()[name]);

    expect(await resonate.run("w", "workflow")).toEqual(["quick", "late"]);
  });
});

test("what registering gives needs no 'this'", async () => {
  const { resonate } = (await openWorld()).client({ defaultTarget: "default" });
  const { options, run, rpc } = resonate.register("add", (_: Context, a: number, b: number) => {
    return a + b;
  });

  const given = options({ timeout: 60_000 });

  expect(await run("one", 1, 2, given)).toBe(3);
  expect(await rpc("two", 3, 4, given)).toBe(7);
});

test("whoever waits for what was canceled is thrown an error, not undefined", async () => {
  const { resonate } = (await openWorld()).client();
  resonate.register("workflow", async (ctx: Context) => {
    const asked = ctx.promise();
    await resonate.promises.cancel(asked.id);
    return asked.catch((error: unknown) => isResonateError(error, "PROMISE_CANCELED"));
  });

  expect(await resonate.run("w", "workflow")).toBe(true);
});
