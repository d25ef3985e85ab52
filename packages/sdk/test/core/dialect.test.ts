import { EXTENSIONS } from "@resonate-ts/server";
import { expect, test } from "vitest";
import { type Context, type Durable, Resonate } from "../../src/index.ts";
import { openWorld } from "./world.ts";

function* body(ctx: Context): Durable<string> {
  yield* ctx.run(function* inner(below: Context): Durable<void> {
    yield* below.rpc("remote");
  });
  yield* ctx.rpc("remote");
  yield* ctx.sleep(1);
  const detached = yield* ctx.detached("remote");
  yield* ctx.rpc("remote", ctx.options({ id: "chosen" }));
  yield* ctx.run(remote, ctx.options({ id: "own" }));
  yield* ctx.race([ctx.run(remote)]);
  return detached.id;
}
const remote = () => "done";

interface Seen {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

async function lineageOf(resonate: Resonate, id: string): Promise<string> {
  const { tags } = (await resonate.promises.get(id)) satisfies Seen;
  const names = ["origin", "branch", "parent", "prefix", "target"];
  return names.map((name) => tags[`resonate:${name}`] ?? "-").join(" ");
}

test.each([
  ["a server that wakes timers by itself", EXTENSIONS, "-"],
  ["a server without extensions, whose timers need a target", [], "poll://any@default"],
])(
  "trees that begin in the dialect of older SDKs are spelled and tagged as theirs, at %s",
  async (_server, extensions, timerTarget) => {
    const world = await openWorld();
    const { resonate } = world.client({
      extensions,
      dialect: "dots",
      defaultTarget: "default",
      register: { body, remote },
    });

    const detached = await resonate.run("r", "body");

    expect(detached).toMatch(/^r\.d[0-9a-f]{14}$/);
    const lineages = Object.fromEntries(
      await Promise.all(
        ["r", "r.0", "r.0.0", "r.1", "r.2", detached, "chosen", "own", "r.6", "r.7"].map(
          async (id) => [id, await lineageOf(resonate, id)] as const,
        ),
      ),
    );
    const target = "poll://any@default";
    expect(lineages).toEqual({
      r: `r r r r ${target}/p1`,
      "r.0": "r r r r -",
      "r.0.0": `r r.0.0 r.0 r ${target}`,
      "r.1": `r r.1 r r ${target}`,
      "r.2": `r r.2 r r ${timerTarget}`,
      [detached]: `${detached} ${detached} r r ${target}`,
      chosen: `chosen chosen r r ${target}`,
      own: "own r r r -",
      "r.6": "r r r r -",
      "r.7": "r r r r -",
    });
  },
);

test("a root may have dots of its own, and long ids stay bounded", async () => {
  const world = await openWorld();
  const depths: string[] = [];
  function* deep(ctx: Context, left: number): Durable<number> {
    depths.push(ctx.id);
    return left === 0 ? 0 : 1 + (yield* ctx.run(deep, left - 1));
  }
  const { resonate } = world.client({ dialect: "dots", register: { deep } });

  expect(await resonate.run("a.b", "deep", 200)).toBe(200);
  expect(depths[1]).toBe("a.b.0");
  expect(Math.max(...depths.map((id) => id.length))).toBeLessThanOrEqual(256);
  expect(new Set(depths).size).toBe(201);
});

test("a tree goes on in the dialect in which it began, whoever runs it", async () => {
  const world = await openWorld();
  world.client({
    group: "new",
    register: {
      *outer(ctx: Context): Durable<string> {
        return yield* ctx.run((below: Context) => below.id);
      },
    },
  });
  const { resonate } = world.client({ dialect: "dots", defaultTarget: "new" });

  expect(await resonate.rpc("r", "outer")).toBe("r.0");
});

test("an option that names no dialect is refused", () => {
  expect(() => new Resonate({ dialect: "slashes" as "dots" })).toThrow(
    /'dialect' must be 'colon' or 'dots'/,
  );
});
