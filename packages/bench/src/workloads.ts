/** What is measured, in the style that both SDKs run. */
import { build, type Histogram } from "hdr-histogram-js";

/** What the measured programs need of a context; that of either SDK fits. */
export interface BenchContext {
  // biome-ignore lint/suspicious/noExplicitAny: two SDKs with types of their own, and the measured programs look at neither.
  run(fn: any, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  rpc(name: string, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  beginRun(fn: any, ...args: any[]): any;
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
    return yield* sumOf(futures);
  },

  /** `count` steps at once, then joined. */
  *localFanOut(ctx: BenchContext, count: number): Body {
    const futures: Iterable<never>[] = [];
    for (let i = 0; i < count; i++) futures.push(yield* ctx.beginRun(functions.one));
    return yield* sumOf(futures);
  },

  one: () => 1,
};

function* sumOf(futures: readonly Iterable<never>[]): Body {
  let sum = 0;
  // biome-ignore lint/suspicious/noExplicitAny: a future of either SDK.
  for (const future of futures) sum += yield* future as any;
  return sum;
}

/** Runs one of the functions to its end. */
export type Run = (id: string, fn: keyof typeof functions, count: number) => Promise<unknown>;

export interface Workload {
  readonly title: string;
  /** How many of `unit` one measurement has. */
  readonly count: number;
  readonly unit: string;
  /** Does `count` of them, with ids that start with `id`; notes how long single ones took, in ms, where that is of interest. */
  perform(run: Run, id: string, count: number, latencies: Histogram): Promise<unknown>;
  /** Part of `--quick`. */
  readonly quick?: true;
  /** Processes that do the work, where there is a server. Default 1. */
  readonly workers?: number;
  /** Whether the time of starting everything belongs to it. */
  readonly cold?: true;
  /** Only these sides. */
  readonly sides?: readonly string[];
}

const CLIENTS = 64;
const RATE_PER_S = 100;

const call =
  (fn: keyof typeof functions): Workload["perform"] =>
  (run, id, count) =>
    run(id, fn, count);

/** `CLIENTS` that ask for the next workflow when they have the result of the last one. */
const closedLoop: Workload["perform"] = async (run, id, count, latencies) => {
  let next = 0;
  const client = async () => {
    while (next < count) await timed(latencies, () => run(`${id}-${next++}`, "steps", 1));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
};

/** Workflows that are asked for at their times, whatever became of those before. */
const openLoop: Workload["perform"] = async (run, id, count, latencies) => {
  const startedAt = performance.now();
  const started: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const due = startedAt + (i * 1_000) / RATE_PER_S;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    started.push(timed(latencies, () => run(`${id}-${i}`, "steps", 1), due));
  }
  await Promise.all(started);
};

async function timed(latencies: Histogram, work: () => Promise<unknown>, from = performance.now()) {
  await work();
  latencies.recordValue(Math.round((performance.now() - from) * 1_000));
}

/** Of latencies in µs. */
export function histogram(): Histogram {
  return build({ highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
}

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  "steps-1000": {
    title: "W1 · 1,000 steps, one after the other",
    count: 1_000,
    unit: "step",
    perform: call("steps"),
    quick: true,
  },
  "steps-100": {
    title: "W1 · 100 steps, one after the other",
    count: 100,
    unit: "step",
    perform: call("steps"),
    sides: ["file"],
  },
  "steps-10000": {
    title: "W1 · 10,000 steps, one after the other",
    count: 10_000,
    unit: "step",
    perform: call("steps"),
    sides: ["file"],
  },
  "fan-out-1000": {
    title: "W2 · 1,000 remote children, joined",
    count: 1_000,
    unit: "child",
    perform: call("fanOut"),
    quick: true,
  },
  "fan-out-10000": {
    title: "W2 · 10,000 remote children, joined",
    count: 10_000,
    unit: "child",
    perform: call("fanOut"),
  },
  "local-fan-out-1000": {
    title: "W2b · 1,000 steps at once, joined",
    count: 1_000,
    unit: "step",
    perform: call("localFanOut"),
    quick: true,
  },
  "local-fan-out-10000": {
    title: "W2b · 10,000 steps at once, joined",
    count: 10_000,
    unit: "step",
    perform: call("localFanOut"),
  },
  "hops-100": {
    title: "W3 · recursion by rpc, 100 deep",
    count: 100,
    unit: "hop",
    perform: call("hops"),
    workers: 3,
    quick: true,
  },
  "hops-1000": {
    title: "W3 · recursion by rpc, 1,000 deep",
    count: 1_000,
    unit: "hop",
    perform: call("hops"),
    workers: 3,
  },
  small: {
    title: `W4 · workflows of one step, ${CLIENTS} clients, each waits for its result`,
    count: 2_000,
    unit: "workflow",
    perform: closedLoop,
    quick: true,
  },
  open: {
    title: `W4 · workflows of one step, ${RATE_PER_S} a second, whatever becomes of them`,
    count: 300,
    unit: "workflow",
    perform: openLoop,
    sides: ["official", "memory", "file", "server"],
  },
  start: {
    title: "W5 · from nothing to the first result",
    count: 1,
    unit: "start",
    perform: call("steps"),
    cold: true,
    quick: true,
    sides: ["official", "memory", "file", "server"],
  },
};
