import { beforeEach, describe, expect, test } from "vitest";
import type { Context, Durable, Future } from "../../src/index.ts";
import { fenced } from "./engine-network.ts";
import { gate, openWorld, type World } from "./world.ts";

let world: World;
let calls: string[] = [];
beforeEach(async () => {
  world = await openWorld();
  calls = [];
});

const step = (_: Context, name: string) => {
  calls.push(name);
  return name;
};
const fail = (_: Context, name: string) => {
  throw new Error(name);
};

// biome-ignore lint/suspicious/noExplicitAny: bodies of any parameters and results.
type Body = (ctx: Context, ...args: any[]) => Durable<any>;

/** The same body as an async function. */
const asynchronous =
  (body: Body) =>
  async (ctx: Context, ...args: unknown[]) => {
    const steps = body(ctx, ...args);
    let turn = steps.next();
    while (!turn.done) {
      const future = turn.value as Future<unknown>;
      const end = await future.then(
        (value) => () => steps.next(value),
        (error) => () => steps.throw(error),
      );
      turn = end();
    }
    return turn.value;
  };

function* messageOf(future: Future<unknown>): Durable<string> {
  try {
    yield* future;
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe.each([
  ["generator", (body: Body) => body],
  ["async", asynchronous],
] as const)("in %s functions", (_style, style) => {
  /** Runs a body; nothing settles its remote parts but the test. */
  function begin(body: Body, options: { readonly warmExecutionsMax?: number } = {}) {
    const client = world.client({ register: { body: style(body) }, ...options });
    const parked = client.network.parked("w");
    return { ...client, parked, handle: client.resonate.beginRun("w", "body") };
  }

  test("all gives the values in the order of its parts and costs no record", async () => {
    const { handle } = begin(function* (ctx) {
      return yield* ctx.all([ctx.run(step, "a"), 2, ctx.beginRun(step, "c")]);
    });

    expect(await (await handle).result()).toEqual(["a", 2, "c"]);
    expect(await world.records("w")).toHaveLength(3);
  });

  test("all and allSettled of nothing are done, any of nothing and race of nothing fail", async () => {
    const { handle } = begin(function* (ctx) {
      return [
        yield* ctx.all([]),
        yield* ctx.allSettled([]),
        yield* messageOf(ctx.any([])),
        yield* messageOf(ctx.race([])),
      ];
    });

    expect(await (await handle).result()).toEqual([
      [],
      [],
      "Nothing that ctx.any waited for succeeded.",
      "ctx.race of nothing would wait for ever.",
    ]);
  });

  test("all throws while other parts are still under way", async () => {
    const { resonate, handle, parked } = begin(function* (ctx) {
      const slow = ctx.promise();
      const message = yield* messageOf(ctx.all([slow, ctx.promise()]));
      return [message, yield* slow.future];
    });
    await parked;

    await resonate.promises.rejectValue("w:1", new Error("second"));
    await waitForRecord("w:2");
    await resonate.promises.resolveValue("w:0", "late");

    expect(await (await handle).result()).toEqual(["second", "late"]);
  });

  test("allSettled shows every outcome", async () => {
    const { handle } = begin(function* (ctx) {
      const never = ctx.options({ nonRetryableErrors: [Error] });
      return yield* ctx.allSettled([ctx.run(step, "a"), ctx.run(fail, "b", never)]);
    });

    const results: PromiseSettledResult<string>[] = await (await handle).result();
    expect(results[0]).toEqual({ status: "fulfilled", value: "a" });
    expect(results[1]).toMatchObject({ status: "rejected", reason: { message: "b" } });
  });

  test("any skips failures, and fails with all errors in order", async () => {
    const { resonate, handle, parked } = begin(function* (ctx) {
      const parts = [ctx.promise(), ctx.promise(), ctx.promise()];
      const first = yield* ctx.any(parts);
      const others = [ctx.promise(), ctx.promise()];
      try {
        return yield* ctx.any(others);
      } catch (error) {
        return [first, ...(error as AggregateError).errors.map(({ message }) => message)];
      }
    });
    await parked;

    await resonate.promises.rejectValue("w:0", new Error("no"));
    await resonate.promises.resolveValue("w:2", "third");
    await waitForRecord("w:5");
    await resonate.promises.resolveValue("w:1", "late");
    await resonate.promises.rejectValue("w:5", new Error("b"));
    await resonate.promises.rejectValue("w:4", new Error("a"));

    expect(await (await handle).result()).toEqual(["third", "a", "b"]);
  });

  // What is awaited after the decision parks the function; without room for it, it then runs again from the top,
  // and by then all parts have settled.
  test.each([
    { name: "race", winner: "resolve", expected: "second" },
    { name: "any", winner: "resolve", expected: "second" },
    { name: "all", winner: "reject", expected: "second" },
  ] as const)("a replay of $name goes the way of the first run", async (given) => {
    const { resonate, network, handle, parked } = begin(
      function* (ctx) {
        const parts = [ctx.promise(), ctx.promise()];
        let first: unknown;
        try {
          first = yield* given.name === "all" ? ctx.all(parts) : ctx[given.name](parts);
        } catch (error) {
          first = (error as Error).message;
        }
        calls.push(`decided ${String(first)}`);
        yield* ctx.promise();
        return first;
      },
      { warmExecutionsMax: 0 },
    );
    await parked;
    const settle = (id: string, value: string) =>
      given.winner === "resolve"
        ? resonate.promises.resolveValue(id, value)
        : resonate.promises.rejectValue(id, new Error(value));

    const parkedAgain = network.parked("w");
    await settle("w:1", "second");
    await parkedAgain;
    await settle("w:0", "first");
    await resonate.promises.resolveValue("w:3");

    expect(await (await handle).result()).toBe(given.expected);
    expect(calls.length).toBeGreaterThan(1);
    expect(new Set(calls)).toEqual(new Set(["decided second"]));
  });

  test.each(["before its choice is written", "after its choice is written"] as const)(
    "a worker killed in a race %s is replaced without a second winner",
    async (moment) => {
      const body = style(function* (ctx: Context) {
        const winner = yield* ctx.race([ctx.promise(), ctx.promise()]);
        calls.push(`won ${String(winner)}`);
        return winner;
      });
      const first = world.client({ pid: "first", register: { body } });
      const dead = gate();
      first.network.intercept = (request) => {
        const inner = fenced(request);
        if (inner?.kind !== "promise.settle" || inner.id !== "w:2") return undefined;
        const { resonate } = second;
        const kill = async () => {
          if (moment.startsWith("after")) await world.engine.process([request]);
          await resonate.promises.resolveValue("w:0", "first");
          first.network.kill();
          dead.resolve();
          return new Promise<never>(() => {});
        };
        return kill();
      };
      const parked = first.network.parked("w");
      await first.resonate.beginRun("w", "body");
      await parked;
      const second = world.client({ pid: "second", register: { body } });
      await second.network.init();

      await second.resonate.promises.resolveValue("w:1", "second");
      await dead.promise;

      const result = await (await second.resonate.get("w")).result();
      expect(calls).toEqual([`won ${result}`]);
      if (moment.startsWith("after")) expect(result).toBe("second");
    },
  );

  test("combinators nest, and what nobody waits for decides nothing", async () => {
    const { resonate, handle, parked } = begin(function* (ctx) {
      const both = ctx.all([ctx.promise(), ctx.run(step, "a")]);
      ctx.race([both, ctx.run(step, "b")]);
      return yield* ctx.race([both, ctx.promise()]);
    });
    await parked;

    await resonate.promises.resolveValue("w:0", "x");
    await resonate.promises.resolveValue("w:5", "late");

    expect(await (await handle).result()).toEqual(["x", "a"]);
    const names = (await world.records("w")).map((record) => (record as { id: string }).id);
    expect(names).not.toContain("w:4");
    expect(names).toContain("w:6");
  });

  test("map keeps as many items under way as it may, and starts the next one as soon as one ends", async () => {
    const gates = [gate(), gate(), gate(), gate()];
    const work = async (_: Context, n: number) => {
      calls.push(`start ${n}`);
      await gates[n]?.promise;
      calls.push(`end ${n}`);
      return n * 10;
    };
    const { handle } = begin(function* (ctx) {
      return yield* ctx.map([0, 1, 2, 3], work, { concurrency: 2 });
    });

    await until(() => calls.length === 2);
    gates[1]?.resolve();
    await until(() => calls.includes("start 2"));
    gates[2]?.resolve();
    await until(() => calls.includes("start 3"));
    gates[3]?.resolve();
    gates[0]?.resolve();

    expect(await (await handle).result()).toEqual([0, 10, 20, 30]);
    expect(calls.slice(0, 6)).toEqual([
      "start 0",
      "start 1",
      "end 1",
      "start 2",
      "end 2",
      "start 3",
    ]);
  });

  test("ids of items do not depend on what else the function starts meanwhile", async () => {
    const { handle } = begin(function* (ctx) {
      const slow = ctx.map(["a", "b"], step, { concurrency: 1 });
      const other = yield* ctx.run(step, "c");
      return [...(yield* slow), other];
    });

    expect(await (await handle).result()).toEqual(["a", "b", "c"]);
    const named = (await world.records("w")) as { id: string; value: { data: string } }[];
    const values = named.map(({ id, value }) => `${id} ${atob(value.data)}`);
    expect(values.slice(1)).toEqual(['w:1 "a"', 'w:2 "b"', 'w:3 "c"']);
  });

  test("map stops at a failure, waits for what is under way, and throws the first error in order", async () => {
    const gates = [gate(), gate()];
    const work = async (_: Context, n: number) => {
      calls.push(`start ${n}`);
      await gates[n]?.promise;
      throw new Error(`item ${n}`);
    };
    const { Never } = await import("../../src/index.ts");
    const { handle } = begin(function* (ctx) {
      const options = ctx.options({ retryPolicy: new Never() });
      return yield* messageOf(ctx.map([0, 1, 2], work, { concurrency: 2, options }));
    });

    await until(() => calls.length === 2);
    gates[1]?.resolve();
    await waitForState("w:2", "rejected");
    gates[0]?.resolve();

    expect(await (await handle).result()).toBe("item 0");
    expect(calls).toEqual(["start 0", "start 1"]);
  });

  test("map collects outcomes when asked to, and dispatches by name with options for each item", async () => {
    const { resonate, handle, parked } = begin(function* (ctx) {
      return yield* ctx.map(["a", "b"], "remote", {
        via: "rpc",
        onError: "collect",
        options: (item) => ctx.options({ id: `page-${item}` }),
      });
    });
    await parked;

    await resonate.promises.resolveValue("page-b", 2);
    await resonate.promises.rejectValue("page-a", new Error("gone"));

    expect(await (await handle).result()).toMatchObject([
      { status: "rejected", reason: { message: "gone" } },
      { status: "fulfilled", value: 2 },
    ]);
  });

  test("a replay of a map of many items runs none again and uses no stack", async () => {
    const items = Array.from({ length: 3_000 }, (_, n) => `${n}`);
    const { resonate, handle, parked } = begin(
      function* (ctx) {
        const values = yield* ctx.map(items, step, { concurrency: 7 });
        yield* ctx.promise();
        return values;
      },
      { warmExecutionsMax: 0 },
    );
    await parked;
    await resonate.promises.resolveValue(`w:${items.length + 1}`);

    expect(await (await handle).result()).toEqual(items);
    expect(calls).toHaveLength(items.length);
  });

  test("a promise that is not durable is refused, and so are options that make no sense", async () => {
    const { handle } = begin(function* (ctx) {
      const refused = (call: () => unknown) => {
        try {
          call();
          return "accepted";
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      return [
        refused(() => ctx.race([Promise.resolve(1)])),
        refused(() => ctx.map([1], step as never, { concurrency: 0 })),
      ];
    });

    expect(await (await handle).result()).toEqual(["ARGUMENT_INVALID", "ARGUMENT_INVALID"]);
  });

  test("a race whose record names a part that the code no longer has is not deterministic", async () => {
    let parts = 2;
    const { resonate, network, parked, logs } = begin(
      function* (ctx) {
        const futures = [ctx.promise(), ctx.promise()];
        yield* ctx.race(futures.slice(0, parts));
        yield* ctx.promise();
      },
      { warmExecutionsMax: 0 },
    );
    await parked;
    const parkedAgain = network.parked("w");
    await resonate.promises.resolveValue("w:1");
    await parkedAgain;
    parts = 1;
    await resonate.promises.resolveValue("w:0");
    await resonate.promises.resolveValue("w:3");

    const line = await logs("error", /could not go on/);
    expect(line.message).toMatch(
      /'w:2' is recorded as ctx.race decided by its part 2.*ctx.race of 1/,
    );
  });
});

test("the language's own Promise.all and Promise.race take futures, too", async () => {
  const { resonate } = world.client({
    register: {
      body: async (ctx: Context) => {
        const values = await Promise.all([ctx.run(step, "a"), ctx.run(step, "b")]);
        return [...values, await Promise.race([ctx.run(step, "c"), ctx.promise()])];
      },
    },
  });
  const handle = await resonate.beginRun("w", "body");
  await waitForRecord("w:3");
  await resonate.promises.resolveValue("w:3");

  expect(await handle.result()).toEqual(["a", "b", "c"]);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function waitForRecord(id: string): Promise<void> {
  return waitForState(id, /./);
}

async function waitForState(id: string, state: string | RegExp): Promise<void> {
  for (;;) {
    const records = (await world.records("w")) as { id: string; state: string }[];
    const found = records.find((record) => record.id === id);
    if (found && new RegExp(state).test(found.state)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
