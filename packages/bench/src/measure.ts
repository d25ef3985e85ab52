/** Measures one side on one workload, in a process of its own: `measure.ts SIDE WORKLOAD`. Sends the milliseconds. */
import { SIDES } from "./sides.ts";
import { WORKLOADS } from "./workloads.ts";

const [side, workload] = process.argv.slice(2) as [keyof typeof SIDES, keyof typeof WORKLOADS];
const { fn, count } = WORKLOADS[workload];
const running = await SIDES[side].open();
// Once for the code to be compiled, then once for the clock.
await running.run("warm-up", fn, Math.ceil(count / 10));
const start = performance.now();
await running.run("measured", fn, count);
const ms = performance.now() - start;
await running.close();
process.send?.(ms, () => process.exit());
