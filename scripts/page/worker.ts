/** A worker whose functions are there to be looked at: wide, deep, of many kinds, waiting, and failing. */
import { setTimeout } from "node:timers/promises";
import { type Context, type Durable, Resonate } from "@resonate-ts/sdk";

const GROUP = "gallery";
const [name = "worker"] = process.argv.slice(2);

/** A call to some worker for each reader, all at once. */
function* newsletter(ctx: Context, readers: number, ms: number): Durable<number> {
  const target = ctx.options({ target: GROUP });
  // Some take longer than others.
  const lasts = (n: number) => ms * (1 + (n % 10) / 5);
  const calls = Array.from({ length: readers }, (_, n) =>
    ctx.rpc<number>("send", n, lasts(n), target),
  );
  let sum = 0;
  for (const call of calls) sum += yield* call;
  return sum;
}

async function send(_: Context, reader: number, ms: number): Promise<number> {
  if (ms > 0) await setTimeout(ms);
  return reader;
}

/** Each asks for the next one, on whichever worker is free. */
function* dive(ctx: Context, depth: number, ms: number): Durable<number> {
  yield* ctx.run(send, depth, ms);
  if (depth <= 1) return 1;
  const target = ctx.options({ target: GROUP });
  return 1 + (yield* ctx.rpc<number>("dive", depth - 1, ms, target));
}

/** A bit of everything, up to a decision that somebody has to make. */
function* order(ctx: Context, item: string): Durable<string> {
  const target = ctx.options({ target: GROUP });
  yield* ctx.run(reserve, item);
  const parcels = [1, 2, 3].map((n) => ctx.rpc<string>("pack", item, n, target));
  const paid = ctx.rpc<number>("charge", item, target);
  for (const parcel of parcels) yield* parcel;
  yield* paid;
  yield* ctx.sleep(300);
  const decision = yield* ctx.promise<boolean>({ data: { question: `May ${item} be sent?` } });
  return (yield* decision) ? "sent" : "kept";
}

async function reserve(_: Context, item: string): Promise<string> {
  await setTimeout(120);
  return `${item} is reserved`;
}

function* pack(ctx: Context, item: string, n: number): Durable<string> {
  yield* ctx.run(fetchFromShelf, item, n);
  return yield* ctx.run(wrap, item, n);
}

async function fetchFromShelf(_: Context, item: string, n: number): Promise<string> {
  await setTimeout(150 * n);
  return item;
}

async function wrap(_: Context, item: string, n: number): Promise<string> {
  await setTimeout(100 * n);
  return `${item}, parcel ${n}, see https://example.com/parcels/${n}`;
}

async function charge(_: Context, item: string): Promise<number> {
  await setTimeout(420);
  return item.length;
}

/** Waits until somebody settles the promise that it makes. */
function* ask(ctx: Context, question: string): Durable<unknown> {
  const answer = yield* ctx.promise<unknown>({ data: question });
  return yield* answer;
}

function echo(_: Context, ...values: unknown[]): unknown {
  return values.length === 1 ? values[0] : values;
}

const resonate = new Resonate({ group: GROUP, pid: `${name}-${process.pid}` });
const functions = { newsletter, send, dive, order, pack, charge, ask, echo };
for (const [key, func] of Object.entries(functions)) {
  // They differ in their parameters; what is registered is called with what an invocation carries.
  resonate.register(key, func as (ctx: Context) => unknown);
}
process.once("SIGINT", () => resonate.stop());
process.stdout.write(`${name} serves ${process.pid}\n`);
