import type { Context, Durable } from "@resonate-ts/sdk";
import { multiply } from "./multiply.ts";

/** The group of workers that serves calls of `factorial`. */
export const GROUP = "factorial-workers";

/**
 * n!, exact for every n.
 *
 * The call for n - 1 goes to any worker of the group. Its id says what it computes, so whoever asks for that
 * factorial, in this run or in a later one, joins the same call or reads its result.
 */
export function* factorial(ctx: Context, n: number): Durable<bigint> {
  if (n === 0) return 1n;
  const id = `factorial-${n - 1}`;
  const smaller = yield* ctx.rpc<bigint>("factorial", n - 1, ctx.options({ id, target: GROUP }));
  return yield* ctx.run(multiply, n, smaller);
}
