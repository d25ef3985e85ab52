/** The programs that are measured, in the style that both SDKs run. */

/** What the measured programs need of a context; that of either SDK fits. */
export interface BenchContext {
  // biome-ignore lint/suspicious/noExplicitAny: two SDKs with types of their own, and the measured programs look at neither.
  run(fn: any, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  rpc(name: string, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  beginRpc(name: string, ...args: any[]): any;
}

type Body = Generator<unknown, number, never>;

const add = (_: unknown, a: number, b: number) => a + b;

export const functions = {
  /** `count` steps, one after the other. */
  *steps(ctx: BenchContext, count: number): Body {
    let sum: number = 0;
    for (let i = 0; i < count; i++) sum = yield* ctx.run(add, sum, 1);
    return sum;
  },

  /** A recursion of `depth` calls, each dispatched to a worker. */
  *hops(ctx: BenchContext, depth: number): Body {
    if (depth === 0) return 0;
    const below: number = yield* ctx.rpc("hops", depth - 1);
    return below + 1;
  },

  /** `count` calls dispatched to workers at once, then joined. */
  *fanOut(ctx: BenchContext, count: number): Body {
    const futures: Iterable<never>[] = [];
    for (let i = 0; i < count; i++) futures.push(yield* ctx.beginRpc("one"));
    let sum = 0;
    // biome-ignore lint/suspicious/noExplicitAny: a future of either SDK.
    for (const future of futures) sum += yield* future as any;
    return sum;
  },

  one: () => 1,
};

export interface Workload {
  readonly title: string;
  readonly fn: "steps" | "hops" | "fanOut";
  readonly count: number;
  /** What one of `count` is called. */
  readonly unit: string;
}

export const WORKLOADS = {
  steps: { title: "1,000 sequential steps", fn: "steps", count: 1_000, unit: "step" },
  hops: { title: "recursion, 100 deep, by rpc", fn: "hops", count: 100, unit: "hop" },
  "fan-out": { title: "1,000 remote children, joined", fn: "fanOut", count: 1_000, unit: "child" },
} as const satisfies Readonly<Record<string, Workload>>;
