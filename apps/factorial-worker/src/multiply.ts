import { setTimeout } from "node:timers/promises";
import type { Context } from "@resonate-ts/sdk";

/** Told of every product that this process computed; the dependency `report`. */
export type Report = (n: number, product: bigint) => void;

/**
 * n * smaller, where `smaller` is (n - 1)!.
 *
 * A step of its own, because it is what a person wants to see happen once: it takes the dependency `pauseMs`
 * (in ms, default 0) and then says what it computed.
 */
export async function multiply(ctx: Context, n: number, smaller: bigint): Promise<bigint> {
  const pauseMs = ctx.getDependency<number>("pauseMs") ?? 0;
  if (pauseMs > 0) await setTimeout(pauseMs, undefined, { signal: ctx.signal });

  const product = BigInt(n) * smaller;
  ctx.getDependency<Report>("report")?.(n, product);
  return product;
}
