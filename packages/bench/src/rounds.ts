/** Runs measurements: each in a process of its own, bounded in time, with what it needs around it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endById, endWithUs } from "./end-with-us.ts";
import type { Job, Measured, Report } from "./measuring.ts";
import { MEASURE_PEERS } from "./peers.ts";
import type { Postgres } from "./postgres.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS } from "./workloads.ts";

/** Longer than the slowest side needs for the largest workload. */
const MEASURE_MS_MAX = 180_000;
/** Where Node keeps it by default. */
const COMPILED = join(tmpdir(), "node-compile-cache");
const MEASURE = new URL("./measure.ts", import.meta.url);
/** The end of what a process has said, to tell why it failed. */
const SAID_MAX = 2_000;

/** What came of one side on one workload: a measurement for each round, up to the first that failed. */
export interface Outcome {
  readonly measured: readonly Measured[];
  readonly failed?: string;
}

export interface Rounds {
  readonly workload: string;
  readonly sides: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  /** Where everything that is measured keeps its files. */
  readonly folder: string;
  readonly postgres: Postgres | undefined;
  /** Told what is measured now. */
  progress(line: string): void;
}

/** Measures every side in turn, so many times. One that fails says why and is left out from then on. */
export async function measureAll(run: Rounds): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>(run.sides.map((side) => [side, { measured: [] }]));
  for (let round = 1; round <= run.rounds; round++) {
    for (const [side, { measured, failed }] of outcomes) {
      if (failed !== undefined) continue;
      run.progress(`${run.workload} ${side} ${round}/${run.rounds}`);
      try {
        const one = await measureOne(side, run);
        outcomes.set(side, { measured: [...measured, one] });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        outcomes.set(side, { measured, failed: reason });
        run.progress(`${run.workload} ${side} failed: ${reason}\n`);
      }
    }
  }
  return outcomes;
}

async function measureOne(side: string, run: Rounds): Promise<Measured> {
  const { workload, scale, folder, postgres } = run;
  const job = { side, workload, scale };
  if (!SIDES[side]?.database) return measure(job, folder);
  if (!postgres) throw new Error("there is no PostgreSQL");
  const logged = WORKLOADS[workload]?.kind === "rest";
  const cluster = await postgres.start({ logged });
  try {
    return await measure({ ...job, database: cluster.database }, folder);
  } finally {
    await cluster.close();
  }
}

async function measure(job: Job, folder: string): Promise<Measured> {
  const startedAt = performance.now();
  const program = SIDES[job.side]?.installed ? MEASURE_PEERS : MEASURE;
  // Without a loader: Node reads TypeScript itself, and a cold start is that of Node. It keeps what it has compiled.
  const child = fork(program, [JSON.stringify(job)], {
    execArgv: [],
    env: { ...process.env, TMPDIR: folder, NODE_COMPILE_CACHE: COMPILED },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  endInTime(child);
  const exited = once(child, "exit");
  try {
    const measured = await result(child);
    const fromStart = performance.now() - startedAt;
    return WORKLOADS[job.workload]?.cold ? { ...measured, ms: fromStart } : measured;
  } finally {
    await exited;
  }
}

/** What the process reports, or why it does not. */
function result(child: ChildProcess): Promise<Measured> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-SAID_MAX);
  });
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      const report = message as Report; // Sent by `measuring.ts`.
      if (report.kind === "measured") resolve(report.measured);
      if (report.kind === "failed") reject(new Error(report.reason));
    });
    child.once("close", (code, signal) => {
      const late = signal === "SIGKILL" ? `no result in ${MEASURE_MS_MAX / 1_000} s` : "";
      reject(new Error(late || `ended with code ${code}: ${said.trim()}`));
    });
  });
}

/** Ends the process when its time is over, and what it had started, unless it ends as it should and has done so itself. */
function endInTime(child: ChildProcess): void {
  const started: number[] = [];
  const endStarted = () => started.forEach(endById);
  child.on("message", (message) => {
    const report = message as Report; // Sent by `measuring.ts`.
    if (report.kind === "started") started.push(report.pid);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), MEASURE_MS_MAX);
  endWithUs(child);
  process.prependListener("exit", endStarted);
  child.once("exit", (code) => {
    clearTimeout(timer);
    process.off("exit", endStarted);
    if (code !== 0) endStarted();
  });
}
