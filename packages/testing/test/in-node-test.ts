/** Run by `node-test.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context } from "@resonate-ts/sdk";
import { crashAtEveryStep, openLab } from "@resonate-ts/testing";

async function leaf(_ctx: Context, name: string): Promise<string> {
  return `Hello, ${name}`;
}

async function greet(ctx: Context, name: string): Promise<string> {
  await ctx.sleep(3_600_000);
  return ctx.run(leaf, name);
}

test("a workflow sleeps and is crashed", async () => {
  const lab = await openLab({ register: { greet } });
  assert.equal(await lab.run("g", greet, "Ada"), "Hello, Ada");
  await lab.close();

  const { outcome } = await crashAtEveryStep(greet, { args: ["Ada"] });
  assert.deepEqual(outcome, { kind: "value", value: "Hello, Ada" });
});
