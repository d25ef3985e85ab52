/** A worker whose wall clock is set, by as much as it is told, in the middle of a workflow. */
import { setTimeout as wait } from "node:timers/promises";
import { Constant, type Context, type Durable, Resonate } from "../../src/index.ts";

const [url = ""] = process.argv.slice(2);
const wall = Date.now;
let entered = 0;

/** Goes on for longer than its lease before, and in some runs after. */
async function setClock(_: Context, ms: number): Promise<void> {
  await wait(1_500);
  Date.now = () => wall() + ms;
  if (ms % 7_200_000 === 0) await wait(1_500);
}

async function flaky(ctx: Context): Promise<number> {
  if (ctx.info.attempt < 3) throw new Error("not yet");
  return ctx.info.attempt;
}

function* fn(ctx: Context, ms: number): Durable<readonly unknown[]> {
  entered += 1;
  yield* ctx.run(setClock, ms);
  const from = performance.now();
  yield* ctx.sleep(2_000);
  const slept = performance.now() - from;
  const retryPolicy = new Constant({ delay: 20 });
  const options = ctx.options({ retryPolicy, timeout: 60_000 });
  return [entered, slept, yield* ctx.run(flaky, options)];
}

const resonate = new Resonate({ url, ttl: 1_000, logLevel: "error" });
resonate.register("fn", fn);
