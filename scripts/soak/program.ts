/** What the soak runs: two steps here, one elsewhere. */
import { type Context, Resonate, silentLogger } from "@resonate-ts/sdk";

export const GROUP = "soak";

export function worker(url: string): Resonate {
  const resonate = new Resonate({ url, group: GROUP, logger: silentLogger });
  resonate.register("soak", function* (ctx: Context, n: number) {
    const own: number = yield* ctx.run(() => n);
    const double: number = yield* ctx.rpc("double", n, ctx.options({ target: GROUP }));
    const sum: number = yield* ctx.run(() => own + double);
    return sum;
  });
  resonate.register("double", (_: Context, n: number) => 2 * n);
  return resonate;
}

export function expected(n: number): number {
  return 3 * n;
}
