/** Our SDK and the official one, each doing the other's work. */
import type { Context } from "@resonate-ts/sdk";
import type { Context as OfficialContext } from "@resonatehq/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { House } from "./house.ts";

const VALUES = [
  null,
  7,
  "text ü 🦊",
  [1, [2]],
  { a: { b: [true, false] }, empty: {} },
  Infinity,
  "",
];

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

describe("our client and an official worker", () => {
  test.each(VALUES)("exchange %j", async (value) => {
    const group = `echo-official-${VALUES.indexOf(value)}`;
    house
      .official(group)
      .register("echo", async (_: OfficialContext, given: unknown) => ({ given }));
    const client = house.ours("client");

    const result = await client.rpc(group, "echo", value, client.options({ target: group }));

    expect(result).toEqual({ given: value });
  });

  test("agree on what it threw", async () => {
    house.official("failing-official").register("fail", function* (ctx: OfficialContext) {
      yield* ctx.date.now();
      throw new TypeError("no such horse");
    });
    const client = house.ours("client");

    await expect(
      client.rpc("ours-fail", "fail", client.options({ target: "failing-official" })),
    ).rejects.toThrow("no such horse");
  });
});

describe("an official client and our worker", () => {
  test.each(VALUES)("exchange %j", async (value) => {
    const group = `echo-ours-${VALUES.indexOf(value)}`;
    house.ours(group).register("echo", async (_: Context, given: unknown) => ({ given }));
    const client = house.official("client");

    const result = await client.rpc(group, "echo", value, client.options({ target: group }));

    expect(result).toEqual({ given: value });
  });

  test("agree on what it threw", async () => {
    house.ours("failing-ours").register("fail", function* (ctx: Context) {
      yield* ctx.date.now();
      throw new TypeError("no such horse");
    });
    const client = house.official("client");

    await expect(
      client.rpc("official-fail", "fail", client.options({ target: "failing-ours" })),
    ).rejects.toThrow("no such horse");
  });
});

describe("a workflow", () => {
  test("of ours is computed by official workers, level by level", async () => {
    house.ours("mixed-a").register("down", function* (ctx: Context, n: number): Generator<
      unknown,
      number,
      never
    > {
      if (n === 0) return 0;
      return 1 + (yield* ctx.rpc<number>("down", n - 1, ctx.options({ target: "mixed-b" })));
    });
    house
      .official("mixed-b")
      .register("down", function* (ctx: OfficialContext, n: number): Generator<
        unknown,
        number,
        never
      > {
        if (n === 0) return 0;
        return 1 + (yield* ctx.rpc<number>("down", n - 1, ctx.options({ target: "mixed-a" })));
      });
    const [ours, official] = [house.ours("client"), house.official("client")];

    expect(await ours.rpc("down-ours", "down", 6, ours.options({ target: "mixed-a" }))).toBe(6);
    expect(
      await official.rpc("down-official", "down", 7, official.options({ target: "mixed-b" })),
    ).toBe(7);
  });

  test("that one started is joined by the other: the id is the identity", async () => {
    house.ours("joined").register("count", async (_: Context, n: number) => n + 1);
    const [ours, official] = [house.ours("client"), house.official("client")];

    const results = await Promise.all([
      ours.rpc("joined-1", "count", 1, ours.options({ target: "joined" })),
      official.rpc("joined-1", "count", 1, official.options({ target: "joined" })),
    ]);

    expect(results).toEqual([2, 2]);
    expect(await (await ours.get("joined-1")).result()).toBe(2);
    expect(await (await official.get("joined-1")).result()).toBe(2);
  });
});
