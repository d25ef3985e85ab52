/** Measures one side on one workload, in a process of its own: `measure.ts SIDE WORKLOAD`. Sends a `Measured`. */
import { SIDES } from "./sides.ts";
import { histogram, WORKLOADS } from "./workloads.ts";

export interface Measured {
  readonly ms: number;
  /** Of single ones, in ms, where they were timed. */
  readonly p50?: number;
  readonly p99?: number;
  /** Most memory that was taken, in MB: by this process, and by its server. */
  readonly memory: number;
  readonly serverMemory?: number;
}

const [sideName = "", workloadName = ""] = process.argv.slice(2);
const side = SIDES[sideName];
const workload = WORKLOADS[workloadName];
if (!side || !workload) throw new Error(`there is no side '${sideName}' or no '${workloadName}'`);

const running = await side.open(workload.workers ?? 1);
const { count, cold } = workload;
// Once for the code to be compiled, then once for the clock.
if (!cold) await workload.perform(running.run, "warm-up", Math.ceil(count / 10), histogram());
const latencies = histogram();
const start = performance.now();
await workload.perform(running.run, "measured", count, latencies);
const ms = performance.now() - start;
const serverMemory = await running.serverMemory?.();
const measured: Measured = {
  ms,
  ...(latencies.totalCount > 0 && {
    p50: latencies.getValueAtPercentile(50) / 1_000,
    p99: latencies.getValueAtPercentile(99) / 1_000,
  }),
  memory: megabytes(process.resourceUsage().maxRSS),
  ...(serverMemory !== undefined && { serverMemory: megabytes(serverMemory) }),
};
// A cold start has ended with its result; all else is no part of it.
process.send?.(measured, () => void running.close().then(() => process.exit()));

function megabytes(kibibytes: number): number {
  return (kibibytes * 1_024) / 1e6;
}
