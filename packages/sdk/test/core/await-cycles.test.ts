/** Runs that wait for each other: what whoever awaits them sees. */
import { describe, expect, test } from "vitest";
import { AwaitCycleError, type Context, isResonateError } from "../../src/index.ts";
import { openWorld } from "./world.ts";

// biome-ignore lint/suspicious/noExplicitAny: the return type that programs for the official SDK write.
type Official<T> = Generator<any, T, any>;

const asked = (ctx: Context, id: string) => ctx.options({ id, target: "workers" });

/** `ping` awaits `pong`, and `pong` awaits `ping`, by the ids that they are known by. */
const STYLES = {
  generator: {
    *ping(ctx: Context): Official<string> {
      return yield* ctx.rpc<string>("pong", asked(ctx, "pong-1"));
    },
    *pong(ctx: Context): Official<string> {
      return yield* ctx.rpc<string>("ping", asked(ctx, "ping-1"));
    },
    *careful(ctx: Context): Official<string> {
      try {
        return yield* ctx.rpc<string>("pong2", asked(ctx, "pong-2"));
      } catch (error) {
        return seen(error);
      }
    },
    *pong2(ctx: Context): Official<string> {
      return yield* ctx.rpc<string>("careful", asked(ctx, "careful-1"));
    },
  },
  async: {
    ping: async (ctx: Context) => ctx.rpc<string>("pong", asked(ctx, "pong-1")),
    pong: async (ctx: Context) => ctx.rpc<string>("ping", asked(ctx, "ping-1")),
    careful: async (ctx: Context) => {
      try {
        return await ctx.rpc<string>("pong2", asked(ctx, "pong-2"));
      } catch (error) {
        return seen(error);
      }
    },
    pong2: async (ctx: Context) => ctx.rpc<string>("careful", asked(ctx, "careful-1")),
  },
} as const;

function seen(error: unknown): string {
  if (!(error instanceof AwaitCycleError)) return `something else: ${error}`;
  return `${error.code} of ${error.promiseId}: ${error.cycle.join(" awaits ")}`;
}

/** Changes every payload, so that what was not encrypted cannot be read by it. */
const encryptor = {
  encrypt: ({ headers = {}, data = "" }) => ({ headers, data: `secret ${data}` }),
  decrypt: ({ headers = {}, data = "" }) => {
    if (!data.startsWith("secret ")) throw new Error("not encrypted");
    return { headers, data: data.slice(7) };
  },
};

describe.each(Object.entries(STYLES))("in %s style", (_, functions) => {
  test.each([
    ["plain", {}],
    ["encrypted", { encryptor }],
  ])("whoever awaits a run that awaits it is told, and may go on (%s)", async (_how, options) => {
    const { resonate } = (await openWorld()).client({
      ...options,
      group: "workers",
      register: functions,
    });

    const result = await resonate.run("careful-1", "careful");

    expect(result).toBe("AWAIT_CYCLE of pong-2: pong-2 awaits careful-1");
  });

  test("an error that is let through says so to whoever began it, over two workers", async () => {
    const world = await openWorld();
    const { resonate } = world.client({ group: "workers", register: functions });
    world.client({ group: "workers", register: functions });

    const failure = await resonate.run("ping-1", "ping").catch((error: unknown) => error);

    expect(failure).toMatchObject({
      name: "AwaitCycleError",
      code: "AWAIT_CYCLE",
      promiseId: "pong-1",
      cycle: ["pong-1", "ping-1"],
      message:
        "Promise 'pong-1' was rejected because it would have waited for ever: it awaits 'ping-1', which awaits 'pong-1'. Let one of them not await the next.",
    });
    const told = await resonate
      .get("pong-1")
      .then((handle) => handle.result().catch((error) => error));
    expect(isResonateError(told, "AWAIT_CYCLE")).toBe(true);
  });
});
