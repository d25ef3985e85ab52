import { Constant, type Context, type Durable } from "@resonate-ts/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { type Lab, type LabOptions, openLab } from "../src/index.ts";

const START = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;

const labs: Lab[] = [];

async function open(options?: LabOptions): Promise<Lab> {
  const lab = await openLab(options);
  labs.push(lab);
  return lab;
}

afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close({ abandon: true });
});

async function double(_ctx: Context, n: number): Promise<number> {
  return 2 * n;
}

function* month(ctx: Context): Durable<number> {
  yield* ctx.sleep(30 * DAY);
  return yield* ctx.run(double, 21);
}

async function ask(ctx: Context): Promise<string> {
  return `${await ctx.promise<string>()}!`;
}

test("a lab is open in less than 50 ms", async () => {
  await open();
  const before = performance.now();

  await open({ workers: 3, register: { double } });

  expect(performance.now() - before).toBeLessThan(50);
});

describe("time", () => {
  test("stands still while things happen", async () => {
    const lab = await open({ register: { double } });

    expect(await lab.client.rpc("d", double, 4)).toBe(8);

    expect(lab.now()).toBe(START);
  });

  test("moves by itself where a result is run for, exactly as far as that takes", async () => {
    const lab = await open({ register: { month } });

    expect(await lab.run("m", month, lab.client.options({ timeout: 31 * DAY }))).toBe(42);

    expect(lab.now()).toBe(START + 30 * DAY);
  });

  test("moves as far as it is told, and no timer fires before its time", async () => {
    const lab = await open({ register: { month } });
    const options = lab.client.options({ timeout: 31 * DAY });
    const handle = await lab.client.beginRpc("m", month, options);

    await lab.advance(30 * DAY - 1);
    expect(await handle.done()).toBe(false);

    await lab.advance(1);
    expect(await handle.done()).toBe(true);
    expect(lab.now()).toBe(START + 30 * DAY);
  });

  test("is what ctx.date and sleeps until an instant go by", async () => {
    async function until(ctx: Context): Promise<number> {
      await ctx.sleep({ until: new Date(START + 3_600_000) });
      return ctx.date.now();
    }
    const lab = await open({ register: { until } });

    expect(await lab.run("u", until)).toBe(START + 3_600_000);
  });

  test("waits for a function that does something of its own", async () => {
    async function slow(): Promise<string> {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "slow";
    }
    const lab = await open({ register: { slow } });
    const handle = await lab.client.beginRpc("s", slow);

    await lab.advance("25h");

    expect(await handle.result()).toBe("slow");
  });

  test("does not wait for a function that waits for it", async () => {
    const lab = await open();
    async function patient(_ctx: Context): Promise<number> {
      await lab.delay("90m");
      return lab.now();
    }
    lab.mock("patient", patient);

    expect(await lab.run("p", "patient")).toBe(START + 90 * 60_000);
  });

  test("is the machine's where that is asked for, and then it cannot be moved", async () => {
    const lab = await open({ clock: "system", register: { double } });

    expect(await lab.run("d", double, 4)).toBe(8);
    expect(Math.abs(lab.now() - Date.now())).toBeLessThan(1_000);
    await expect(lab.advance("1s")).rejects.toThrow("Only simulated time can be moved");
  });

  test.each(["1", "1 h", "1y", "-5m", -1, Number.NaN])(
    "cannot be moved by %s",
    async (duration) => {
      const lab = await open();

      await expect(lab.advance(duration as never)).rejects.toThrow("is not a duration");
    },
  );

  test("a wait that nothing can end is an error that says what waits", async () => {
    const lab = await open({ register: { ask } });
    const options = lab.client.options({ timeout: 400 * DAY });
    const handle = await lab.client.beginRpc("a", ask, options);

    await expect(lab.until(handle.result(), { within: "1h" })).rejects.toThrow(
      "What was waited for did not come within 1h. suspended: 'a'.",
    );
  });
});

test("others settle what a workflow waits for, once it is there", async () => {
  const lab = await open({ register: { ask } });
  const handle = await lab.client.beginRpc("a", ask);

  await lab.created("a:0");
  await lab.client.promises.resolveValue("a:0", "yes");

  expect(await lab.until(handle.result())).toBe("yes!");
});

describe("mocks", () => {
  test("stand in for a function that is passed by value, in every worker", async () => {
    async function caller(ctx: Context): Promise<number> {
      return ctx.run(double, 1);
    }
    const lab = await open({ workers: 3, register: { caller } });

    lab.mock(double, async () => 100);

    for (const id of ["a", "b", "c"]) expect(await lab.run(id, caller)).toBe(100);
  });

  test("stand in for a registered function by its name, whatever its own name is", async () => {
    const lab = await open({ register: { twice: double } });

    lab.mock("twice", (_ctx: Context, n: number) => n + 1);

    expect(await lab.run("d", "twice", 4)).toBe(5);
  });

  test("may be of another style, and are retried as the function would be", async () => {
    async function caller(ctx: Context): Promise<number> {
      return ctx.run(double, 1, ctx.options({ retryPolicy: new Constant({ delay: 5_000 }) }));
    }
    const lab = await open({ register: { caller } });
    let attempts = 0;
    lab.mock(double, async () => {
      attempts += 1;
      if (attempts < 3) throw new Error("not yet");
      return attempts;
    });

    expect(await lab.run("c", caller)).toBe(3);
    expect(lab.now()).toBe(START + 10_000);
  });
});

describe("a worker", () => {
  function* long(ctx: Context): Durable<number> {
    const first = yield* ctx.run(double, 1);
    yield* ctx.sleep(60_000);
    return first + (yield* ctx.run(double, 2));
  }

  test("that is killed does no more, and another one goes on after the grace", async () => {
    const lab = await open({ workers: 2, register: { long } });
    const handle = await lab.client.beginRpc("w", long);
    await lab.idle();

    for (const worker of lab.workers.slice(0, 1)) worker.crash();
    expect(await lab.until(handle.result())).toBe(6);

    expect(lab.entered.get("w:0")).toBe(1);
    expect(lab.entered.get("w:2")).toBe(1);
  });

  test("that is alone goes on when it is started again", async () => {
    const lab = await open({ register: { long } });
    const [worker] = lab.workers;
    const handle = await lab.client.beginRpc("w", long);
    await lab.idle();

    worker?.crash();
    await lab.advance("1h");
    expect(await handle.done()).toBe(false);
    worker?.start();
    await lab.idle();

    expect(await handle.result()).toBe(6);
  });

  test("that stops lets others go on at once", async () => {
    const lab = await open({ workers: 2 });
    const first = Promise.withResolvers<string>();
    async function held({ signal }: Context): Promise<string> {
      if (lab.entered.get("h") === 1) {
        first.resolve("started");
        await lab.delay("10h", signal);
      }
      return "done";
    }
    lab.mock("held", held);
    const handle = await lab.client.beginRpc("h", "held");
    await first.promise;

    const holder = await lab.server.holder("h");
    await lab.workers.find(({ name }) => name === holder)?.stop();

    expect(await lab.until(handle.result(), { within: 0 })).toBe("done");
    expect(lab.now()).toBe(START);
  });
});

describe("the server", () => {
  test("goes on with what is on record when it is started again", async () => {
    const lab = await open({ restartable: true, register: { month } });
    const options = lab.client.options({ timeout: 40 * DAY });
    const handle = await lab.client.beginRpc("m", month, options);
    await lab.advance("29d");

    await lab.server.stop();
    await lab.advance("2d");
    await lab.server.start();

    expect(await lab.until(handle.result())).toBe(42);
  });

  test("cannot be stopped where its records would be lost", async () => {
    const lab = await open();

    await expect(lab.server.stop()).rejects.toThrow("restartable: true");
  });
});

test("requests are counted by kind, and as bodies", async () => {
  async function two(ctx: Context): Promise<number[]> {
    return Promise.all([ctx.run(double, 1), ctx.run(double, 2)]);
  }
  const lab = await open({ extensions: [], register: { two } });
  lab.requests.clear();

  await lab.client.rpc("t", two);

  expect(lab.requests.of("task.acquire")).toBe(1);
  expect(lab.requests.of("task.fence")).toBe(4);
  expect(lab.requests.of("task.fulfill")).toBe(1);
  expect(lab.requests.total).toBe(lab.requests.exchanges);
});

test("the tree shows what was started", async () => {
  const lab = await open({ register: { month } });
  await lab.run("m", month, lab.client.options({ timeout: 31 * DAY }));

  const { id, children } = await lab.tree("m");

  expect(id).toBe("m");
  expect(children.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "sleep resolved",
    "run resolved",
  ]);
});

describe("faults", () => {
  const faults = { drop: 0.2, delay: 0.3, duplicate: 0.2, reorder: 0.2 };

  async function hard(ctx: Context): Promise<number> {
    const all = await Promise.all([1, 2, 3, 4].map((n) => ctx.rpc<number>("double", n)));
    return all.reduce((sum, one) => sum + one, 0);
  }

  async function history(seed: number): Promise<readonly string[]> {
    const lines: string[] = [];
    const lab = await open({
      seed,
      faults,
      workers: 3,
      register: { double, hard },
      tap: {
        arriving: ({ process, requests }) => {
          lines.push(`${lab.now()} ${process} ${requests.map(({ kind }) => kind).join()}`);
          return undefined;
        },
      },
    });
    expect(await lab.run("h", hard)).toBe(20);
    return lines;
  }

  test("change nothing but time, and are repeated by their seed", async () => {
    const [one, two, other] = [await history(7), await history(7), await history(8)];

    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
  });

  test("take time to be got over", async () => {
    const lab = await open({ register: { double } });
    lab.setFaults({ drop: 1 });
    const result = lab.client.rpc("d", double, 2);
    await lab.advance("5s");

    lab.setFaults();

    expect(await lab.until(result)).toBe(4);
    expect(lab.now()).toBeGreaterThanOrEqual(START + 10_000);
  });
});

describe("closing", () => {
  test("with a function still running is an error that names it", async () => {
    const lab = await openLab();
    async function endless(): Promise<void> {
      await lab.delay("1000d");
    }
    lab.mock("endless", endless);
    await lab.client.beginRpc("e", "endless");
    await lab.idle();

    await expect(lab.close()).rejects.toThrow("The lab was closed while 'e' had not ended.");
  });

  test("with a workflow that waits for somebody is fine", async () => {
    const lab = await openLab({ register: { ask } });
    await lab.client.beginRpc("a", ask);
    await lab.idle();

    await lab.close();
    await lab.close();
  });

  test("happens by itself at the end of a block", async () => {
    let seen: Lab | undefined;
    {
      await using lab = await openLab({ register: { double } });
      seen = lab;
    }

    expect(seen.server.running).toBe(false);
  });
});
