/** Random workflows: the style does not matter, and neither does a process that is killed at any point. */
import { EXTENSIONS, openEngine } from "@resonate-ts/server";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Context } from "../../src/index.ts";
import type { Extension } from "../../src/network/network.ts";
import { type Client, World } from "./world.ts";

type Step =
  | { readonly kind: "run" | "rpc" | "fail"; readonly n: number }
  | { readonly kind: "sleep" }
  | { readonly kind: "nested" | "other style" | "remote"; readonly program: Program };

interface Program {
  /** Started together, then awaited in order; the groups one after the other. */
  readonly groups: readonly (readonly Step[])[];
}

const { program } = fc.letrec<{ program: Program; step: Step }>((tie) => {
  const inner = fc.constantFrom("nested", "other style", "remote");
  return {
    program: fc.record({
      groups: fc.array(fc.array(tie("step"), { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 3,
        depthIdentifier: "program",
      }),
    }) as fc.Arbitrary<Program>,
    step: fc.oneof(
      { maxDepth: 2, depthIdentifier: "step" },
      fc.record({ kind: fc.constantFrom("run", "rpc", "fail"), n: fc.nat(9) }),
      fc.constant({ kind: "sleep" }),
      fc.record({ kind: inner, program: tie("program") }),
    ) as fc.Arbitrary<Step>,
  };
});

/** What a program computes, said without any machinery. */
function meaning({ groups }: Program): unknown {
  return groups.map((group) => group.map(worth));
}

function worth(step: Step): unknown {
  switch (step.kind) {
    case "run":
      return step.n;
    case "rpc":
      return step.n * 10;
    case "fail":
      return `failed ${step.n}`;
    case "sleep":
      return null;
    case "nested":
    case "other style":
    case "remote":
      return meaning(step.program);
  }
}

/** Functions of both styles, and the count of what their leaves did. */
function functions() {
  const effects = new Map<string, number>();
  const count = ({ id }: Context) => effects.set(id, (effects.get(id) ?? 0) + 1);
  const leaf = (ctx: Context, n: number) => {
    count(ctx);
    return n;
  };
  const ten = async (ctx: Context, n: number) => {
    count(ctx);
    return n * 10;
  };
  const fail = (ctx: Context, n: number) => {
    count(ctx);
    throw new TypeError(`failed ${n}`);
  };
  const message = (error: unknown) => (error instanceof Error ? error.message : "not an error");

  function start(ctx: Context, step: Step, own: typeof asynchronous | typeof generator) {
    const other = own === asynchronous ? generator : asynchronous;
    switch (step.kind) {
      case "run":
        return ctx.run(leaf, step.n);
      case "rpc":
        return ctx.rpc(ten, step.n);
      case "fail":
        return ctx.run(fail, step.n, ctx.options({ nonRetryableErrors: [TypeError] }));
      case "sleep":
        return ctx.sleep(0);
      case "nested":
        return ctx.run(own, step.program);
      case "other style":
        return ctx.run(other, step.program);
      case "remote":
        return ctx.rpc(own, step.program);
    }
  }

  function* generator(ctx: Context, given: Program): Generator<unknown, unknown, unknown> {
    const results: unknown[] = [];
    for (const group of given.groups) {
      const futures = group.map((step) => start(ctx, step, generator));
      const values: unknown[] = [];
      for (const future of futures) {
        try {
          values.push((yield* future) ?? null);
        } catch (error) {
          values.push(message(error));
        }
      }
      results.push(values);
    }
    return results;
  }

  async function asynchronous(ctx: Context, given: Program): Promise<unknown> {
    const results: unknown[] = [];
    for (const group of given.groups) {
      const futures = group.map((step) => start(ctx, step, asynchronous));
      const outcomes = await Promise.allSettled(futures);
      results.push(
        outcomes.map((one) => {
          return one.status === "fulfilled" ? (one.value ?? null) : message(one.reason);
        }),
      );
    }
    return results;
  }

  return { effects, register: { leaf, ten, fail, generator, asynchronous } };
}

async function inWorld<T>(use: (world: World) => Promise<T>): Promise<T> {
  const world = new World(await openEngine());
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

const styles = ["generator", "asynchronous"] as const;

test("compute the same in both styles, with each leaf run once, and leave the same ids", async () => {
  const property = fc.asyncProperty(program, async (given) => {
    const ids: unknown[] = [];
    for (const style of styles) {
      await inWorld(async (world) => {
        const { effects, register } = functions();
        const { resonate, logged } = world.client({ register, defaultTarget: "default" });

        expect(await resonate.run("w", style, given)).toEqual(meaning(given));
        expect([...effects.values()].every((times) => times === 1)).toBe(true);
        expect(logged).toEqual([]);
        ids.push((await world.records("w")).map((record) => (record as { id: string }).id));
      });
    }
    expect(ids[0]).toEqual(ids[1]);
  });
  await fc.assert(property, parameters(40));
});

test("compute the same when the process is killed at any request, without parked executions too", async () => {
  const property = fc.asyncProperty(
    program,
    fc.constantFrom(...styles),
    fc.nat(40),
    fc.constantFrom(0, 1_000),
    fc.constantFrom<readonly Extension[]>(EXTENSIONS, ["batch", "lease", "delta"], []),
    async (given, style, requests, warmExecutionsMax, extensions) => {
      await inWorld(async (world) => {
        const { effects, register } = functions();
        // A claim that is on its way when its process is killed is free only at the end of its lease.
        const own = { register, defaultTarget: "default", ttl: 1_000 };
        const options = { ...own, warmExecutionsMax, extensions };
        const first = world.client(options);
        killAfter(first, requests);
        await first.network.init();
        const handle = await begin(world, style, given);

        // The survivor comes when the first has been killed, or has finished.
        await Promise.race([first.network.killed, handle.result()]);
        world.client(options);

        expect(await handle.result()).toEqual(meaning(given));
        expect(Math.max(0, ...effects.values())).toBeLessThanOrEqual(2);
      });
    },
  );
  await fc.assert(property, parameters(60));
});

/** A client that only asks. */
function begin(world: World, style: string, given: Program) {
  const { resonate } = world.client({ group: "clients", defaultTarget: "default" });
  return resonate.beginRpc("w", style, given);
}

function killAfter({ network }: Client, requests: number): void {
  network.intercept = () => {
    if (network.sent.length > requests) network.kill();
    return undefined;
  };
}

/** `SEED=…` repeats a run. */
function parameters(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env.SEED ? { seed: Number(process.env.SEED) } : {};
  return { numRuns, ...seed, endOnFailure: true };
}
