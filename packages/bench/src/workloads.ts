/** What is measured. */
import { build, type Histogram } from "hdr-histogram-js";
import type { ProgramName } from "./programs.ts";
import type { Run } from "./running.ts";

export interface Workload {
  readonly title: string;
  /** How many of `unit` one measurement has. */
  readonly count: number;
  readonly unit: string;
  /** `crash` kills a worker, `rest` looks at a server that has nothing to do. Default `perform`. */
  readonly kind?: "perform" | "crash" | "rest";
  /** Does `count` of them, with ids that start with `id`; notes how long single ones took, in µs, where that is of interest. */
  perform(run: Run, id: string, count: number, latencies: Histogram): Promise<unknown>;
  /** Part of `--quick`. */
  readonly quick?: true;
  /** Processes that do the work, where there is a server. Default 1. */
  readonly workers?: number;
  /** Whether the time of starting everything belongs to it. */
  readonly cold?: true;
  /** Settled promises that are stored before it begins. Default 0. */
  readonly stored?: number;
  /** Only these sides. Default all that have a meaning for it. */
  readonly sides?: readonly string[];
}

const CLIENTS = 64;
const RATE_PER_S = 100;
/** Settled promises that one workload finds in the store. */
const STORED = 100_000;

const call =
  (program: ProgramName): Workload["perform"] =>
  (run, id, count) =>
    run(id, program, count);

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
    // A timer may be early by a part of a millisecond.
    const from = Math.min(due, performance.now());
    started.push(timed(latencies, () => run(`${id}-${i}`, "steps", 1), from));
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

/** `count` of one program, by its name in the specification of the workloads. */
function workload(
  title: string,
  count: number,
  unit: string,
  program: ProgramName,
  more: Partial<Workload> = {},
): Workload {
  return { title, count, unit, perform: call(program), ...more };
}

const OURS = ["file", "server", "postgres"];

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  "W1-steps-1000": workload("W1 · 1,000 steps, one after the other", 1_000, "step", "steps", {
    quick: true,
  }),
  "W1-steps-100": workload("W1 · 100 steps, one after the other", 100, "step", "steps", {
    sides: OURS,
  }),
  "W1-steps-10000": workload("W1 · 10,000 steps, one after the other", 10_000, "step", "steps", {
    sides: OURS,
  }),
  "W2-fan-out-1000": workload("W2 · 1,000 remote children, joined", 1_000, "child", "fanOut", {
    quick: true,
  }),
  "W2-fan-out-10000": workload("W2 · 10,000 remote children, joined", 10_000, "child", "fanOut"),
  "W2-fan-out-5000": workload("W2 · 5,000 remote children, joined", 5_000, "child", "fanOut", {
    sides: ["server"],
  }),
  "W2-fan-out-50000": workload("W2 · 50,000 remote children, joined", 50_000, "child", "fanOut", {
    sides: ["server"],
  }),
  "W2-fan-out-stored": workload(
    "W2 · 5,000 remote children, with 100,000 settled promises in the store",
    5_000,
    "child",
    "fanOut",
    { sides: ["server"], stored: STORED },
  ),
  "W2b-local-1000": workload("W2b · 1,000 steps at once, joined", 1_000, "step", "localFanOut", {
    quick: true,
  }),
  "W2b-local-10000": workload("W2b · 10,000 steps at once, joined", 10_000, "step", "localFanOut", {
    sides: ["sqlite", ...OURS],
  }),
  "W3-hops-100": workload("W3 · recursion by rpc, 100 deep, three workers", 100, "hop", "hops", {
    workers: 3,
    quick: true,
  }),
  "W3-hops-1000": workload(
    "W3 · recursion by rpc, 1,000 deep, three workers",
    1_000,
    "hop",
    "hops",
    { workers: 3, sides: [...OURS, "official", "restate"] },
  ),
  "W4-closed": {
    title: `W4 · workflows of one step, ${CLIENTS} clients, each waits for its result`,
    count: 2_000,
    unit: "workflow",
    perform: closedLoop,
    quick: true,
  },
  "W4-open": {
    title: `W4 · workflows of one step, ${RATE_PER_S} a second, whatever becomes of them`,
    count: 300,
    unit: "workflow",
    perform: openLoop,
  },
  "W5-start": workload("W5 · from nothing to the first result", 1, "start", "steps", {
    cold: true,
    quick: true,
  }),
  "W6-kill": workload(
    "W6 · `kill -9` of the worker in 1,000 children of 20 ms: from the kill to the result",
    1_000,
    "recovery",
    "slowFanOut",
    { kind: "crash" },
  ),
  "idle-server": workload("Idle · a server with a worker, and nothing to do", 1, "", "one", {
    kind: "rest",
    sides: ["server", "postgres"],
  }),
};
