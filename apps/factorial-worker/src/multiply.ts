import { setTimeout } from "node:timers/promises";
import type { Context } from "@resonate-ts/sdk";

/** Told of every product that this process computed, and what it is called; the dependency `report`. */
export type Report = (name: string, product: bigint) => void;

/**
 * n * smaller, where `smaller` is (n - 1)!.
 *
 * A step of its own, because it is what a person wants to see happen once: it takes the dependency `pauseMs`
 * (in ms, default 0) and then says what it computed.
 */
export async function multiply(ctx: Context, n: number, smaller: bigint): Promise<bigint> {
  await pause(ctx);
  return told(ctx, `factorial(${n})`, BigInt(n) * smaller);
}

/** from * (from + 1) * … * to, as a step like `multiply`. */
export async function multiplyAll(ctx: Context, from: number, to: number): Promise<bigint> {
  await pause(ctx);
  let product = 1n;
  for (let n = from; n <= to; n++) product *= BigInt(n);
  return told(ctx, `product(${from}..${to})`, product);
}

export interface Halves {
  readonly from: number;
  readonly to: number;
  /** The products of the two halves of the range. */
  readonly halves: readonly [lower: bigint, upper: bigint];
}

/** The product of a range from those of its halves, as a step like `multiply`. */
export async function multiplyHalves(ctx: Context, { from, to, halves }: Halves): Promise<bigint> {
  await pause(ctx);
  return told(ctx, `product(${from}..${to})`, halves[0] * halves[1]);
}

async function pause(ctx: Context): Promise<void> {
  const pauseMs = ctx.getDependency<number>("pauseMs") ?? 0;
  if (pauseMs > 0) await setTimeout(pauseMs, undefined, { signal: ctx.signal });
}

function told(ctx: Context, name: string, product: bigint): bigint {
  ctx.getDependency<Report>("report")?.(name, product);
  return product;
}
