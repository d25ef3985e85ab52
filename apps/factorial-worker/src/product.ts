import type { Context, Future } from "@resonate-ts/sdk";
import { z } from "zod";
import { GROUP } from "./factorial.ts";
import { multiplyAll, multiplyHalves, type Range } from "./multiply.ts";

/** The largest number in a range: 50000! has 213,237 digits, which one durable value still holds. */
const TO_MAX = 50_000;
/** Ranges up to this many numbers are multiplied at once: a call costs more than these products. */
const STEP_MAX = 8;

const refused = `product takes a range of whole numbers within 1 to ${TO_MAX}`;
const bound = z.int(refused).min(1, refused).max(TO_MAX, refused);
/** What `product` accepts, whoever asks. */
export const productInput = z
  .object({ from: bound, to: bound })
  .refine(({ from, to }) => from <= to, refused);

/**
 * from * (from + 1) * … * to, exact; `product({ from: 1, to: n })` is n!.
 *
 * Binary splitting: each half is a call of its own, for any worker of the group, and both are under way at once. Where
 * `factorial` is a chain that only one worker at a time can move, this is a tree that all of them can. The ids say
 * what is computed, so halves are cached as factorials are.
 */
export async function product(ctx: Context, range: Range): Promise<bigint> {
  const { from, to } = range;
  if (to - from < STEP_MAX) return multiplyAll(ctx, range);
  const middle = Math.floor((from + to) / 2);
  // Both have begun before either is waited for.
  const lower = half(ctx, { from, to: middle });
  const upper = half(ctx, { from: middle + 1, to });
  return multiplyHalves(ctx, range, [await lower, await upper]);
}

function half(ctx: Context, range: Range): Future<bigint> {
  const id = `product-${range.from}-${range.to}`;
  return ctx.rpc<bigint>("product", range, ctx.options({ id, target: GROUP }));
}
