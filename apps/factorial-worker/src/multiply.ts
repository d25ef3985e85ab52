/** What a call computes by itself. It is no step of its own: the product is the call's result, and on record as that. */
import { setTimeout } from "node:timers/promises";
import type { Context } from "@resonate-ts/sdk";

/** Told of every product that this process computed, and what it is called; the dependency `report`. */
export type Report = (name: string, product: bigint) => void;

/** Whole numbers, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * n * smaller, where `smaller` is (n - 1)!. Takes as long as the dependency `pauseMs` says (in ms, default 0), and tells
 * `report` what it computed.
 */
export async function multiply(ctx: Context, n: number, smaller: bigint): Promise<bigint> {
  await pause(ctx);
  return told(ctx, `factorial(${n})`, BigInt(n) * smaller);
}

/** from * (from + 1) * … * to; otherwise like `multiply`. */
export async function multiplyAll(ctx: Context, { from, to }: Range): Promise<bigint> {
  await pause(ctx);
  let product = 1n;
  for (let n = from; n <= to; n++) product *= BigInt(n);
  return told(ctx, `product(${from}..${to})`, product);
}

/** The product of a range from those of its halves; otherwise like `multiply`. */
export async function multiplyHalves(
  ctx: Context,
  { from, to }: Range,
  [lower, upper]: readonly [lower: bigint, upper: bigint],
): Promise<bigint> {
  await pause(ctx);
  return told(ctx, `product(${from}..${to})`, lower * upper);
}

async function pause(ctx: Context): Promise<void> {
  const pauseMs = ctx.getDependency<number>("pauseMs") ?? 0;
  if (pauseMs > 0) await setTimeout(pauseMs, undefined, { signal: ctx.signal });
}

function told(ctx: Context, name: string, product: bigint): bigint {
  ctx.getDependency<Report>("report")?.(name, product);
  return product;
}
