/**
 * How many questions the usual workloads ask of PostgreSQL: each is a journey, and a server's transactions make theirs
 * one after the other. As in `budgets.test.ts`, a budget is what was counted and a little more.
 */
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";
import { type RunningServer, readSettings, serve } from "@resonate-ts/server";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { createDatabase } from "../../packages/server/test/support/postgres.ts";
import type {} from "../../packages/server/test/support/postgres-setup.ts";
import { noteQuestions } from "../../packages/server/test/support/questions.ts";

let database: Awaited<ReturnType<typeof createDatabase>>;
let server: RunningServer;
let resonate: Resonate;
beforeEach(async () => {
  database = await createDatabase(inject("postgresUrl"));
  const flags = {
    "server.port": "0",
    "storage.type": "postgres",
    "storage.postgres.url": database.url,
    level: "error",
  };
  server = await serve(readSettings({ flags }));
  resonate = new Resonate({
    url: server.url,
    group: "questions",
    defaultTarget: "questions",
    logger: silentLogger,
  });
  for (const [name, fn] of Object.entries(functions)) resonate.register(name, fn);
  // Its stream is open, and its functions are known, when it has run something.
  expect(await resonate.run("warm-up", "one")).toBe(1);
});
afterEach(async () => {
  await resonate.stop();
  await server.close();
  await database.drop();
});

type Body = Generator<unknown, number, unknown>;

const functions = {
  *steps(ctx: Context, count: number): Body {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = yield* ctx.run(add, sum, 1);
    return sum;
  },
  *stepsAndChild(ctx: Context, count: number): Body {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = yield* ctx.run(add, sum, 1);
    return sum + (yield* ctx.rpc<number>("one"));
  },
  one: () => 1,
};

function add(_: Context, a: number, b: number): number {
  return a + b;
}

/** Questions asked for workflows, `together` of them at a time. */
async function asked(
  name: keyof typeof functions,
  { count, together, steps }: Readonly<Record<"count" | "together" | "steps", number>>,
): Promise<number> {
  const questions = noteQuestions();
  try {
    for (let from = 0; from < count; from += together) {
      const ids = Array.from({ length: together }, (_, i) => `${name}-${from + i}`);
      await Promise.all(ids.map((id) => resonate.run(id, name, steps)));
    }
    return questions.asked.length;
  } finally {
    questions.stop();
  }
}

test("W4: 500 workflows of one step, 50 at a time, ask a question for two or three of them", async () => {
  // 190 were counted, and 1,170 before the steps of a batch asked together.
  expect(await asked("steps", { count: 500, together: 50, steps: 1 })).toBeLessThanOrEqual(230);
});

test("300 workflows of three steps and a child, at once, ask a question for some of them", async () => {
  // 55 to 65 were counted, and 1,890 before.
  expect(await asked("stepsAndChild", { count: 300, together: 300, steps: 3 })).toBeLessThanOrEqual(
    120,
  );
});
