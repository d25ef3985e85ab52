import type { Context, Durable } from "@resonate-ts/sdk";
import { multiply } from "./multiply.ts";

/** The group of workers that serves calls of `factorial`. */
export const GROUP = "factorial-workers";

/** The largest n: a factorial is a chain of n calls that wait for each other, and each keeps its result. */
const N_MAX = 5_000;

/**
 * n!, exact for every n.
 *
 * The call for n - 1 goes to any worker of the group. Its id says what it computes, so whoever asks for that
 * factorial, in this run or in a later one, joins the same call or reads its result.
 *
 * @throws RangeError when n is no whole number from 0 to 5000.
 */
export function* factorial(ctx: Context, n: number): Durable<bigint> {
  if (!Number.isInteger(n) || n < 0 || n > N_MAX) {
    throw new RangeError(`factorial takes a whole number from 0 to ${N_MAX}, not ${n}`);
  }
  if (n === 0) return 1n;
  const id = `factorial-${n - 1}`;
  const smaller = yield* ctx.rpc<bigint>("factorial", n - 1, ctx.options({ id, target: GROUP }));
  return yield* ctx.run(multiply, n, smaller);
}
