import { createRequire } from "node:module";
import { beforeEach, describe, expect, test } from "vitest";
import { type Context, type Durable, type InputSchema, Never } from "../../src/index.ts";
import { openWorld, type World } from "./world.ts";

// The schema library that another package of this workspace has: this one depends on none.
const { z } = createRequire(new URL("../../../protocol/package.json", import.meta.url))("zod");

let world: World;
let calls: unknown[] = [];
beforeEach(async () => {
  world = await openWorld();
  calls = [];
});

const order = z.object({ id: z.string(), lines: z.array(z.object({ count: z.number() })) });
const take = (_: Context, ...args: unknown[]) => {
  calls.push(args);
  return "taken";
};

function client(input: InputSchema) {
  const { resonate } = world.client({ defaultTarget: "default" });
  resonate.register("take", take, { input });
  return resonate;
}

describe("a function with a schema", () => {
  test("is not run with what it does not accept; the call is rejected with the path", async () => {
    const resonate = client(order);
    const wrong = { id: "o-1", lines: [{ count: 1 }, { count: "2" }] };

    const error = await resonate.rpc("w", "take", wrong).catch((thrown) => thrown);

    expect(error).toMatchObject({
      name: "InputInvalidError",
      code: "INPUT_INVALID",
      func: "take",
      issues: [{ path: "args[0].lines[1].count" }],
    });
    expect(error.message).toMatch(
      /'take' does not accept its arguments: args\[0\]\.lines\[1\]\.count/,
    );
    expect(calls).toEqual([]);
  });

  test("is given what the schemas make of its arguments, and others as they are", async () => {
    const resonate = client([z.coerce.number(), z.string().default("x")]);

    expect(await resonate.run("a", "take", "12")).toBe("taken");
    expect(await resonate.run("b", "take", 1, "y", true)).toBe("taken");
    expect(calls).toEqual([
      [12, "x"],
      [1, "y", true],
    ]);
  });

  test("is checked in calls of workflows, too, where the error can be caught", async () => {
    const resonate = client(order);
    resonate.register("outer", function* (ctx: Context): Durable<string> {
      try {
        return yield* ctx.run(take, { id: 1 });
      } catch (error) {
        return (error as { code: string }).code;
      }
    });

    expect(await resonate.run("w", "outer")).toBe("INPUT_INVALID");
    expect(calls).toEqual([]);
  });

  test("refuses a schema that takes its time", async () => {
    const resonate = client(z.string().refine(async () => true) as InputSchema);

    await expect(resonate.run("w", "take", "x")).rejects.toMatchObject({
      code: "ARGUMENT_INVALID",
      message: expect.stringMatching(/schema of argument 1 of 'take' answers with a promise/),
    });
  });
});

describe("a value over the limit", () => {
  test("is refused before anything is sent, naming id, size, limit and knob", async () => {
    const { resonate, network } = world.client({ valueBytesMax: 100, register: { take } });

    const call = resonate.rpc("w", "take", "x".repeat(200));

    await expect(call).rejects.toMatchObject({
      code: "VALUE_TOO_LARGE",
      message: expect.stringMatching(/for 'w' has \d+ bytes .*limit of 100.*'valueBytesMax'/),
    });
    expect(network.sent).toEqual([]);
  });

  test("is what a step fails with when it gives one; the error names the step", async () => {
    const { resonate } = world.client({
      valueBytesMax: 2_000,
      register: {
        *body(ctx: Context): Durable<string> {
          const options = ctx.options({ retryPolicy: new Never() });
          try {
            return yield* ctx.run(() => "x".repeat(3_000), options);
          } catch (error) {
            return (error as Error).message;
          }
        },
      },
    });

    expect(await resonate.run("w", "body")).toMatch(/A value for 'w:0' has 4004 bytes/);
  });
});

test("tasks can be looked at, halted and continued", async () => {
  const { resonate } = world.client({ defaultTarget: "later" });
  const handle = await resonate.beginRpc("w", "take");

  expect(await resonate.tasks.get("w")).toMatchObject({ id: "w", state: "pending" });
  await resonate.tasks.halt("w");
  const halted = await resonate.tasks.search({ state: "halted" });
  expect(halted.tasks.map(({ id }) => id)).toEqual(["w"]);

  const worker = world.client({ group: "later", register: { take } });
  await worker.network.init();
  expect(await handle.done()).toBe(false);
  await resonate.tasks.continue("w");

  expect(await handle.result()).toBe("taken");
  await expect(resonate.tasks.get("nobody")).rejects.toMatchObject({ status: 404 });
});
