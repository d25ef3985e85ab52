/** Measures one side on one workload. The program around it has the sides: `measure.ts`, and the one of the peers. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Database, Running, Side } from "./running.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";
import { histogram, WORKLOADS, type Workload } from "./workloads.ts";

/** What a measuring process is asked for, as JSON in its first argument. */
export interface Job {
  readonly side: string;
  readonly workload: string;
  /** The share of the workload that is done. */
  readonly scale: number;
  readonly database?: Database;
}

export interface Measured {
  readonly ms: number;
  /** How many units were done in that time. */
  readonly units: number;
  /** Of single ones, in ms, where they were timed. */
  readonly p50?: number;
  readonly p99?: number;
  /** Most memory that was taken, in MB: by this process, and by its server. */
  readonly memory?: number;
  readonly serverMemory?: number;
  /** After a kill: children that had finished before it and ran again. */
  readonly again?: number;
  /** Children whose result was on record before the kill, and those of them that ran again. */
  readonly recorded?: number;
  readonly recordedAgain?: number;
  /** Of a server that has nothing to do. */
  readonly processorShare?: number;
  readonly statementsPerS?: number;
}

/** What a measuring process says: processes that must end with it, then what came of it. */
export type Report =
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "measured"; readonly measured: Measured }
  | { readonly kind: "failed"; readonly reason: string };

/** How long a server is watched that has nothing to do, after it has come to rest. */
const REST_MS = 10_000;
const SETTLING_MS = 2_000;

/** Does the job that this process was started for, and ends it. */
export async function measure(sides: Readonly<Record<string, Side>>): Promise<void> {
  const job: Job = JSON.parse(process.argv[2] ?? ""); // Made by `rounds.ts`.
  const side = sides[job.side];
  const workload = scaled(job);
  process.on("disconnect", () => process.exit(1));
  if (!side || !workload) throw new Error(`there is no ${job.side} or no ${job.workload}`);
  try {
    const { measured, close } = await byKind(side, workload, job);
    // A cold start has ended with its result; all else is no part of it.
    await report({ kind: "measured", measured });
    await close();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await report({ kind: "failed", reason });
    process.exit(1);
  }
  process.exit();
}

/** Resolves when it is on its way. */
export function report(message: Report): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

function scaled({ workload: name, scale }: Job): Workload | undefined {
  const workload = WORKLOADS[name];
  return workload && { ...workload, count: Math.ceil(workload.count * scale) };
}

interface Done {
  readonly measured: Measured;
  close(): Promise<void>;
}

function byKind(side: Side, workload: Workload, job: Job): Promise<Done> {
  const { kind = "perform" } = workload;
  switch (kind) {
    case "perform":
      return perform(side, workload, job);
    case "crash":
      return crash(side, workload, job);
    case "rest":
      return rest(side, workload, job);
  }
}

async function perform(side: Side, workload: Workload, job: Job): Promise<Done> {
  const running = await side.open(workload.workers ?? 1, job);
  const { count, cold, stored } = workload;
  // Once for the code to be compiled, then once for the clock.
  if (!cold) await workload.perform(running.run, "warm-up", Math.ceil(count / 10), histogram());
  if (stored !== undefined) await running.fill?.(stored);
  const latencies = histogram();
  const start = performance.now();
  await workload.perform(running.run, "measured", count, latencies);
  const ms = performance.now() - start;
  const percentile = (of: number) => latencies.getValueAtPercentile(of) / 1_000;
  const measured = {
    ms,
    units: count,
    ...(latencies.totalCount > 0 && { p50: percentile(50), p99: percentile(99) }),
    memory: megabytes(process.resourceUsage().maxRSS),
    ...(await memoryOfServer(running)),
  };
  return { measured, close: () => running.close() };
}

async function memoryOfServer(running: Running): Promise<Pick<Measured, "serverMemory">> {
  const taken = await running.serverMemory?.();
  return taken === undefined ? {} : { serverMemory: megabytes(taken) };
}

/** Kills the worker when half of the children have finished, starts another at once, and waits for the result. */
async function crash(side: Side, workload: Workload, job: Job): Promise<Done> {
  const folder = temporaryFolder();
  const log = join(folder, "log");
  writeFileSync(log, "");
  const children = workload.count;
  const site = await side.crash?.({ ...job, id: "crashed", children, log });
  if (!site) throw new Error("it cannot be killed");
  const first = site.work();
  while (noted(log, "end").length < children / 2) await wait(1);
  const [killedAt, killed] = [Date.now(), performance.now()];
  const exited = once(first, "exit");
  first.kill("SIGKILL");
  await exited;
  const [finished, before] = [new Set(noted(log, "end")), noted(log, "start").length];
  const second = site.work();
  await site.done;
  const ms = performance.now() - killed;
  const again = noted(log, "start")
    .slice(before)
    .filter((child) => finished.has(child));
  const stopped = once(second, "exit");
  second.disconnect();
  await stopped;
  const recorded = await site.recorded?.(killedAt);
  const measured = {
    ms,
    units: 1,
    again: new Set(again).size,
    ...(recorded && {
      recorded: recorded.size,
      recordedAgain: again.filter((child) => recorded.has(child)).length,
    }),
  };
  return { measured, close: () => site.close().finally(() => remove(folder)) };
}

/** The children that noted so. The last line may be cut short by the kill. */
function noted(log: string, what: "start" | "end"): string[] {
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return lines
    .filter((line) => line.startsWith(`${what} `))
    .map((line) => line.slice(what.length + 1));
}

async function rest(side: Side, workload: Workload, job: Job): Promise<Done> {
  const running = await side.open(1, job);
  await workload.perform(running.run, "before", workload.count, histogram());
  await wait(SETTLING_MS);
  const before = await running.effort?.();
  await wait(REST_MS);
  const after = await running.effort?.();
  if (!before || !after) throw new Error("it does not tell what it does");
  const measured = {
    ms: REST_MS,
    units: 1,
    processorShare: (after.processorMs - before.processorMs) / REST_MS,
    statementsPerS: ((after.statements - before.statements) * 1_000) / REST_MS,
    ...(await memoryOfServer(running)),
  };
  return { measured, close: () => running.close() };
}

function megabytes(kibibytes: number): number {
  return (kibibytes * 1_024) / 1e6;
}
