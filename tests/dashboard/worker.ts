/** A worker whose functions are there to be looked at: wide, deep, slow, failing, and with hostile values. */
import { setTimeout } from "node:timers/promises";
import { type Context, type Durable, Resonate } from "@resonate-ts/sdk";

const [name = "worker"] = process.argv.slice(2);

/** A call to some worker for each, all at once. */
function* fan(ctx: Context, width: number, ms: number): Durable<number> {
  const calls = Array.from({ length: width }, (_, n) =>
    ctx.rpc<number>("leaf", n, ms, ctx.options({ target: "gallery" })),
  );
  let sum = 0;
  for (const call of calls) sum += yield* call;
  return sum;
}

async function leaf(_: Context, n: number, ms: number): Promise<number> {
  if (ms > 0) await setTimeout(ms);
  return n;
}

/** Each asks for the next smaller one. */
function* dive(ctx: Context, depth: number, ms: number): Durable<number> {
  yield* ctx.run(leaf, depth, ms);
  if (depth <= 1) return 1;
  const options = ctx.options({ target: "gallery" });
  return 1 + (yield* ctx.rpc<number>("dive", depth - 1, ms, options));
}

/** Waits until somebody settles the promise that it makes. */
function* ask(ctx: Context, question: string): Durable<unknown> {
  return yield* ctx.promise({ data: question });
}

function echo(_: Context, ...values: unknown[]): unknown {
  return values.length === 1 ? values[0] : values;
}

function fail(_: Context, message: string): never {
  throw new Error(message);
}

const resonate = new Resonate({ group: "gallery", pid: `${name}-${process.pid}` });
for (const [key, func] of Object.entries({ fan, leaf, dive, ask, echo, fail })) {
  // The functions differ in their parameters; what is registered is called with what an invocation carries.
  resonate.register(key, func as (ctx: Context) => unknown);
}
process.once("SIGINT", () => resonate.stop());
process.stdout.write(`${name} serves ${process.pid}\n`);
