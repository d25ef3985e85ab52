/** Workflows that are told outcomes before they are on record: the record, the result and the effects are the same. */
import type { Request } from "@resonate-ts/protocol";
import { EXTENSIONS } from "@resonate-ts/server";
import { beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../../src/index.ts";
import { type EngineNetwork, fenced, refusal } from "./engine-network.ts";
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

function* generator(ctx: Context): Generator<unknown, string, unknown> {
  const names: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) names.push(yield* ctx.run(step, name));
  return names.join(" ");
}

async function asynchronous(ctx: Context): Promise<string> {
  const names: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) names.push(await ctx.run(step, name));
  return names.join(" ");
}

const styles = [
  ["generator", generator],
  ["async", asynchronous],
] as const;

/** Ids of the creations that travelled with a settling, as `settled>created`. */
function pairs({ sent }: EngineNetwork): string[] {
  return sent.flatMap((request) => {
    const { data } = request;
    return "then" in data && data.then ? [`${fenced(request)?.id}>${data.then.data.id}`] : [];
  });
}

/** Whether a request settles this promise. */
function settles(request: Request, id: string): boolean {
  const inner = fenced(request);
  return inner?.kind === "promise.settle" && inner.id === id;
}

describe.each(styles)("%s functions", (style, workflow) => {
  test("record the next step together with the end of the one before", async () => {
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { workflow } });

    expect(await resonate.run("w", "workflow")).toBe("a b c d e");

    const all = ["w:0>w:1", "w:1>w:2", "w:2>w:3", "w:3>w:4"];
    // An async function has to show twice that it goes from one step straight to the next.
    expect(pairs(network)).toEqual(style === "generator" ? all : all.slice(2));
    expect(calls).toEqual(["a", "b", "c", "d", "e"]);
  });

  test.each([
    ["the switch is off", { speculate: false }],
    ["the server does not know of it", { extensions: ["batch", "lease", "delta"] as const }],
  ])("do not when %s", async (_why, options) => {
    const { resonate, network } = world.client({
      extensions: EXTENSIONS,
      ...options,
      register: { workflow },
    });

    expect(await resonate.run("w", "workflow")).toBe("a b c d e");

    expect(pairs(network)).toEqual([]);
  });

  test("start nothing before the end of the step before is on record", async () => {
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { workflow } });
    const arrived = gate();
    const proceed = gate();
    network.intercept = (request) => {
      if (!settles(request, "w:3")) return undefined as never;
      arrived.resolve();
      return proceed.promise.then(() => undefined as never);
    };

    const result = resonate.run("w", "workflow");
    await arrived.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual(["a", "b", "c", "d"]);
    proceed.resolve();

    expect(await result).toBe("a b c d e");
  });

  test.each(["before it is sent", "while it is on its way"])(
    "that were told wrongly, since a step was settled from outside %s, replay from the record",
    async (when) => {
      let entered = 0;
      const { resonate, network, logged } = world.client({
        extensions: EXTENSIONS,
        register: {
          workflow: (ctx: Context) => {
            entered += 1;
            return workflow(ctx);
          },
        },
      });
      network.intercept = (request) => {
        if (!settles(request, "w:3")) return undefined as never;
        network.intercept = () => undefined;
        return resonate.promises.resolveValue("w:3", "other").then(() => undefined as never);
      };
      if (when === "before it is sent") {
        network.intercept = (request) => {
          if (!("then" in request.data && request.data.then?.data.id === "w:3")) {
            return undefined as never;
          }
          network.intercept = () => undefined;
          return world.engine.process([request]).then(async ([answer]) => {
            await resonate.promises.resolveValue("w:3", "other");
            return answer as never;
          });
        };
      }

      expect(await resonate.run("w", "workflow")).toBe("a b c other e");

      expect(entered).toBe(2);
      // The step ran, and lost: its own outcome is nowhere.
      expect(calls).toEqual(["a", "b", "c", "d", "e"]);
      expect(network.summary("task.release", "task.acquire")).toEqual([]);
      expect(logged).toEqual([]);
    },
  );

  test("whose answer to such a pair is lost go on as if it had not been", async () => {
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { workflow } });
    let lost = 0;
    network.losesAnswer = (request) => {
      if (!settles(request, "w:3") || lost > 0) return false;
      lost += 1;
      return true;
    };

    expect(await resonate.run("w", "workflow")).toBe("a b c d e");

    expect(lost).toBe(1);
    expect(calls).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("that lose the claim between two steps do nothing more", async () => {
    const { resonate, network } = world.client({ extensions: EXTENSIONS, register: { workflow } });
    network.intercept = (request) =>
      settles(request, "w:3") ? refusal(request, 409) : (undefined as never);
    const refused = network.answered(({ answer }) => answer.head.status === 409);

    await resonate.beginRun("w", "workflow");
    await refused;
    const { length } = network.sent;
    await new Promise((resolve) => setImmediate(resolve));

    expect(calls).toEqual(["a", "b", "c", "d"]);
    // But for the question whether somebody else has the result.
    expect(network.sent.slice(length).map(({ kind }) => kind)).toEqual([
      "promise.register_listener",
    ]);
    await expect(resonate.promises.get("w:4")).rejects.toMatchObject({ status: 404 });
  });
});

test("a step that outlives its deadline is told to have timed out, and what comes next is right", async () => {
  const slow = async (ctx: Context) => {
    while (Date.now() < ctx.info.timeout + 1)
      await new Promise((resolve) => setTimeout(resolve, 1));
    return "late";
  };
  const { resonate } = world.client({
    extensions: EXTENSIONS,
    register: {
      *fn(ctx: Context): Generator<unknown, string, unknown> {
        try {
          yield* ctx.run(slow, ctx.options({ timeout: 20 }));
        } catch (error) {
          return yield* ctx.run(step, (error as { code: string }).code);
        }
        return "in time";
      },
    },
  });

  expect(await resonate.run("w", "fn")).toBe("PROMISE_TIMED_OUT");
  expect(calls).toEqual(["PROMISE_TIMED_OUT"]);
});

test("calls of others, sleeps and the result wait until the step before is on record", async () => {
  const { resonate, network } = world.client({
    extensions: EXTENSIONS,
    register: {
      *fn(ctx: Context): Generator<unknown, string, unknown> {
        yield* ctx.run(step, "a");
        yield* ctx.detached("nobody");
        yield* ctx.run(step, "b");
        yield* ctx.sleep(0);
        yield* ctx.run(step, "c");
        yield* yield* ctx.promise({ timeout: 1 });
        return "never";
      },
    },
  });
  const open = new Set<string>();
  const together: string[] = [];
  network.intercept = (request) => {
    const inner = fenced(request);
    if (inner?.kind !== "promise.settle") {
      if (open.size > 0) together.push(`${request.kind} while ${[...open].join()}`);
      return undefined as never;
    }
    open.add(inner.id);
    return world.engine.process([request]).then(async ([answer]) => {
      await new Promise((resolve) => setImmediate(resolve));
      open.delete(inner.id);
      return answer as never;
    });
  };

  await expect(resonate.run("w", "fn")).rejects.toMatchObject({ code: "PROMISE_TIMED_OUT" });

  expect(together).toEqual([]);
  expect(pairs(network)).toEqual([]);
});

test("of several steps that follow one, the first is recorded with it and the others after it", async () => {
  const { resonate, network } = world.client({
    extensions: EXTENSIONS,
    register: {
      *fn(ctx: Context): Generator<unknown, string, unknown> {
        yield* ctx.run(step, "a");
        const futures = ["b", "c", "d"].map((name) => ctx.run(step, name));
        let all = "";
        for (const future of futures) all += yield* future;
        return all;
      },
    },
  });

  expect(await resonate.run("w", "fn")).toBe("bcd");

  expect(pairs(network)).toEqual(["w:0>w:1"]);
  expect(calls).toEqual(["a", "b", "c", "d"]);
});

test("an async function that does I/O of its own after a step is not told early again", async () => {
  const { resonate, network } = world.client({
    extensions: EXTENSIONS,
    register: {
      fn: async (ctx: Context) => {
        for (const name of ["a", "b", "c"]) await ctx.run(step, name);
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        for (const name of ["d", "e", "f", "g"]) await ctx.run(step, name);
      },
    },
  });

  await resonate.run("w", "fn");

  expect(pairs(network)).toEqual([]);
});

test("a workflow that is told wrongly again and again ends with a fault that says so", async () => {
  const { resonate, network, logs } = world.client({
    extensions: EXTENSIONS,
    register: {
      *fn(ctx: Context): Generator<unknown, void, unknown> {
        for (let i = 0; i < 20; i++) yield* ctx.run(step, String(i));
      },
    },
  });
  network.intercept = (request) => {
    const inner = fenced(request);
    if (inner?.kind !== "promise.settle") return undefined as never;
    return resonate.promises.resolveValue(inner.id, "other").then(() => undefined as never);
  };

  await resonate.beginRun("w", "fn");

  await logs("error", /'w'.*something else is found on record each time/);
  expect(calls.length).toBe(11);
});
