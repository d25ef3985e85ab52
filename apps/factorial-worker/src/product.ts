import type { Context, Durable } from "@resonate-ts/sdk";
import { GROUP } from "./factorial.ts";
import { multiplyAll, multiplyHalves } from "./multiply.ts";

/** The largest number in a range: 50000! has 213,237 digits, which one durable value still holds. */
const TO_MAX = 50_000;
/** Ranges up to this many numbers are multiplied in one step: a call costs more than these products. */
const STEP_MAX = 8;

/**
 * from * (from + 1) * … * to, exact; `product(1, n)` is n!.
 *
 * Binary splitting: each half is a call of its own, for any worker of the group, and both are under way at once. Where
 * `factorial` is a chain that only one worker at a time can move, this is a tree that all of them can. The ids say
 * what is computed, so halves are cached as factorials are.
 *
 * @throws RangeError when these are no whole numbers with 1 ≤ from ≤ to ≤ 50000.
 */
export function* product(ctx: Context, from: number, to: number): Durable<bigint> {
  if (![from, to].every(Number.isInteger) || from < 1 || to < from || to > TO_MAX) {
    throw new RangeError(`product takes a range within 1 to ${TO_MAX}, not ${from} to ${to}`);
  }
  if (to - from < STEP_MAX) return yield* ctx.run(multiplyAll, from, to);
  const middle = Math.floor((from + to) / 2);
  const lower = yield* ctx.beginRpc<bigint>(
    "product",
    from,
    middle,
    callOptions(ctx, from, middle),
  );
  const upper = yield* ctx.beginRpc<bigint>(
    "product",
    middle + 1,
    to,
    callOptions(ctx, middle + 1, to),
  );
  return yield* ctx.run(multiplyHalves, { from, to, halves: [yield* lower, yield* upper] });
}

function callOptions(ctx: Context, from: number, to: number) {
  return ctx.options({ id: `product-${from}-${to}`, target: GROUP });
}
