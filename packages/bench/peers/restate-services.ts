/** The measured programs as services of Restate, and an endpoint that serves them. */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import * as restate from "@restatedev/restate-sdk";
import { slowly } from "../src/programs.ts";

/** The recursion goes round so many services, so that each can be another process's. */
export const ROUND = 3;

interface SlowCall {
  readonly child: number;
  readonly log: string;
}

const leaves = restate.service({
  name: "leaves",
  handlers: {
    one: async (_: restate.Context): Promise<number> => 1,
    /** What is done on the side is a step, as Restate's guides have it. */
    slow: (ctx: restate.Context, { child, log }: SlowCall): Promise<number> =>
      ctx.run("slow", () => slowly(`${child}`, log)).map((result) => result ?? 0),
  },
});
type Leaves = typeof leaves;

const bench = restate.service({
  name: "bench",
  handlers: {
    async steps(ctx: restate.Context, count: number): Promise<number> {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const before = sum;
        sum = await ctx.run("add", () => before + 1);
      }
      return sum;
    },

    async fanOut(ctx: restate.Context, count: number): Promise<number> {
      const leaf = ctx.serviceClient<Leaves>({ name: "leaves" });
      return sumOf(await restate.RestatePromise.all(times(count, () => leaf.one())));
    },

    async localFanOut(ctx: restate.Context, count: number): Promise<number> {
      return sumOf(await restate.RestatePromise.all(times(count, () => ctx.run("one", () => 1))));
    },

    async slowFanOut(ctx: restate.Context, [count, log]: [number, string]): Promise<number> {
      const leaf = ctx.serviceClient<Leaves>({ name: "leaves" });
      const slow = times(count, (child) => leaf.slow({ child, log }));
      return sumOf(await restate.RestatePromise.all(slow));
    },
  },
});
export type Bench = typeof bench;

/** A call of the recursion; the one below it is the next service's. */
const hops = (at: number) =>
  restate.service({
    name: `hops${at}`,
    handlers: {
      async hop(ctx: restate.Context, depth: number): Promise<number> {
        if (depth === 0) return 0;
        const next = ctx.serviceClient<Hops>({ name: `hops${(at + 1) % ROUND}` });
        return (await next.hop(depth - 1)) + 1;
      },
    },
  });
export interface Hops {
  hop(ctx: restate.Context, depth: number): Promise<number>;
}

/** Serves the services of a worker, or all, and gives the port. */
export async function serve(
  worker: number | "all",
  port = 0,
): Promise<{ readonly port: number; close(): void }> {
  const round = worker === "all" ? times(ROUND, hops) : [hops(worker)];
  const services = worker === "all" || worker === 0 ? [bench, leaves, ...round] : round;
  const logger = () => {};
  const server = createServer(restate.createEndpointHandler({ services, logger }));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: taken } = server.address() as AddressInfo; // It listens on a port.
  return { port: taken, close: () => void server.close() };
}

function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
