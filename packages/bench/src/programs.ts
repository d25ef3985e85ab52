/** The programs that are measured, in the style that our SDK and the official one both run. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What a generator can wait for with `yield*`, whichever SDK made it. */
type Yieldable<T> = Iterable<unknown, T, never>;

/** What the programs need of a context; that of either SDK fits. */
export interface BenchContext {
  readonly id: string;
  run<A extends readonly unknown[], T>(fn: (ctx: never, ...args: A) => T, ...args: A): Yieldable<T>;
  rpc(name: ProgramName, ...args: readonly unknown[]): Yieldable<number>;
  beginRun<T>(fn: (ctx: never) => T): Yieldable<Yieldable<T>>;
  beginRpc(name: ProgramName, ...args: readonly unknown[]): Yieldable<Yieldable<number>>;
}

type Body = Generator<unknown, number, never>;

export type ProgramName =
  | "steps"
  | "hops"
  | "fanOut"
  | "localFanOut"
  | "slowFanOut"
  | "one"
  | "slow";

/** How long a `slow` child takes, in ms. */
export const SLOW_MS = 20;

const add = (_: unknown, a: number, b: number): number => a + b;
const one = (): number => 1;

export const programs = {
  /** `count` steps, one after the other. */
  *steps(ctx: BenchContext, count: number): Body {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = yield* ctx.run(add, sum, 1);
    return sum;
  },

  /** A recursion of `depth` calls, each dispatched to a worker. */
  *hops(ctx: BenchContext, depth: number): Body {
    if (depth === 0) return 0;
    return (yield* ctx.rpc("hops", depth - 1)) + 1;
  },

  /** `count` calls dispatched to workers at once, then joined. */
  *fanOut(ctx: BenchContext, count: number): Body {
    const futures: Yieldable<number>[] = [];
    for (let i = 0; i < count; i++) futures.push(yield* ctx.beginRpc("one"));
    return yield* sumOf(futures);
  },

  /** `count` steps at once, then joined. */
  *localFanOut(ctx: BenchContext, count: number): Body {
    const futures: Yieldable<number>[] = [];
    for (let i = 0; i < count; i++) futures.push(yield* ctx.beginRun(one));
    return yield* sumOf(futures);
  },

  /** `count` slow calls dispatched to workers at once, then joined; each notes in the file `log` that it runs. */
  *slowFanOut(ctx: BenchContext, count: number, log: string): Body {
    const futures: Yieldable<number>[] = [];
    for (let i = 0; i < count; i++) futures.push(yield* ctx.beginRpc("slow", log));
    return yield* sumOf(futures);
  },

  one,

  slow: (ctx: BenchContext, log: string): Promise<number> => slowly(ctx.id, log),
} satisfies Record<ProgramName, unknown>;

function* sumOf(futures: readonly Yieldable<number>[]): Body {
  let sum = 0;
  for (const future of futures) sum += yield* future;
  return sum;
}

/** The work of a slow child, the same on every side. What the log has of it survives the end of the process. */
export async function slowly(child: string, log: string): Promise<number> {
  appendFileSync(log, `start ${child}\n`);
  await sleep(SLOW_MS);
  appendFileSync(log, `end ${child}\n`);
  return 1;
}
