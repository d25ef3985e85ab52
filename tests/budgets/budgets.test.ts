/**
 * How much work the usual workloads may take, on a server with a file. Each budget is what was counted when it was
 * recorded, and a little more, where batches form by chance and for what is written once a second; nothing here is
 * timed. A change that needs more has to say why, and write its numbers here.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { type RunningServer, readSettings, serve } from "@resonate-ts/server";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { countWork, type Work } from "./work.ts";

const folder = mkdtempSync(join(tmpdir(), "resonate-budgets-"));
let server: RunningServer;
const workers: Resonate[] = [];
let files = 0;
beforeEach(async () => {
  files += 1;
  const path = join(folder, `${files}.db`);
  const flags = { "server.port": "0", "storage.sqlite.path": path, level: "error" };
  server = await serve(readSettings({ flags }));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

type Body = Generator<unknown, number, unknown>;

const functions = {
  *steps(ctx: Context, count: number): Body {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = yield* ctx.run(add, sum, 1);
    return sum;
  },
  *fanOut(ctx: Context, count: number): Body {
    const futures = Array.from({ length: count }, () => ctx.rpc<number>("one"));
    let sum = 0;
    for (const future of futures) sum += yield* future;
    return sum;
  },
  *localFanOut(ctx: Context, count: number): Body {
    const futures = Array.from({ length: count }, (_, i) => ctx.run(add, i, 0));
    let sum = 0;
    for (const future of futures) sum += Number((yield* future) >= 0);
    return sum;
  },
  *recursion(ctx: Context, depth: number): Body {
    return depth === 0 ? 0 : 1 + (yield* ctx.rpc<number>("recursion", depth - 1));
  },
  one: () => 1,
};

function add(_: Context, a: number, b: number): number {
  return a + b;
}

/** Processes of one group, connected. The first one is asked. */
async function group(count: number): Promise<Resonate> {
  for (let i = 0; i < count; i++) {
    const worker = new Resonate({
      url: server.url,
      pid: `worker-${i}`,
      group: "budgets",
      defaultTarget: "budgets",
      logger: silentLogger,
    });
    for (const [name, fn] of Object.entries(functions)) worker.register(name, fn);
    workers.push(worker);
    // Its stream is open, and its functions are known, when it has run something.
    expect(await worker.run(`warm-up-${i}`, "one")).toBe(1);
  }
  const [first] = workers;
  if (!first) throw new Error("a group has one process at least");
  return first;
}

async function counted(perform: () => Promise<unknown>): Promise<Work> {
  const counting = countWork();
  try {
    await perform();
  } finally {
    // Whatever comes of it, nothing else is counted.
    counting.stop();
  }
  return counting.work;
}

function expectWithin(work: Work, budget: Work): void {
  const over = (Object.keys(budget) as (keyof Work)[]).filter((name) => work[name] > budget[name]);
  expect(
    over.map((name) => `${name}: ${work[name]}, budget ${budget[name]}`),
    JSON.stringify(work),
  ).toEqual([]);
}

test("W1: 1,000 steps, one after the other, take one request and one commit each", async () => {
  const resonate = await group(1);

  const work = await counted(() => resonate.run("steps", "steps", 1_000));

  expectWithin(work, { requests: 1_010, commits: 1_010, rows: 2_040, reads: 3_050 });
});

test("W2: 1,000 children of others share requests and commits", async () => {
  const resonate = await group(1);

  const work = await counted(() => resonate.run("fan-out", "fanOut", 1_000));

  // How often the parent is resumed meanwhile, and so its rows, depends on how the answers fall into batches.
  expectWithin(work, { requests: 12, commits: 14, rows: 6_000, reads: 8_400 });
});

test("W2b: 1,000 children at once take a handful of requests and commits", async () => {
  const resonate = await group(1);

  const work = await counted(() => resonate.run("local", "localFanOut", 1_000));

  expectWithin(work, { requests: 5, commits: 5, rows: 2_015, reads: 2_020 });
});

test("W3: a recursion of 100 calls over three processes takes two requests and two commits a call", async () => {
  const resonate = await group(3);

  const work = await counted(() => resonate.run("recursion", "recursion", 100));

  expectWithin(work, { requests: 230, commits: 210, rows: 830, reads: 950 });
});

test("W4: 500 workflows of one step, 50 at a time, share requests and commits", async () => {
  const resonate = await group(1);

  const work = await counted(async () => {
    for (let from = 0; from < 500; from += 50) {
      const ids = Array.from({ length: 50 }, (_, i) => `small-${from + i}`);
      await Promise.all(ids.map((id) => resonate.run(id, "steps", 1)));
    }
  });

  expectWithin(work, { requests: 44, commits: 44, rows: 3_020, reads: 5_050 });
});
