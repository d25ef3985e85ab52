import type { Context } from "@resonate-ts/sdk";
import { z } from "zod";
import { multiply } from "./multiply.ts";

/** The group of workers that serves calls of `factorial`. */
export const GROUP = "factorial-workers";

/** The largest n: a factorial is a chain of n calls that wait for each other, and each keeps its result. */
const N_MAX = 5_000;

const refused = `factorial takes a whole number from 0 to ${N_MAX}`;
/** What `factorial` accepts, whoever asks. */
export const factorialInput = z.int(refused).min(0, refused).max(N_MAX, refused);

/**
 * n!, exact for every n.
 *
 * The call for n - 1 goes to any worker of the group. Its id says what it computes, so whoever asks for that
 * factorial, in this run or in a later one, joins the same call or reads its result. The multiplication is no step of
 * its own: its product is what this call keeps.
 */
export async function factorial(ctx: Context, n: number): Promise<bigint> {
  if (n === 0) return 1n;
  const id = `factorial-${n - 1}`;
  const smaller = await ctx.rpc<bigint>("factorial", n - 1, ctx.options({ id, target: GROUP }));
  return multiply(ctx, n, smaller);
}
