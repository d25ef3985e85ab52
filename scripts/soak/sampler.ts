/** Looks at the processes and at what is stored. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Program } from "../demo/program.ts";
import type { Load } from "./load.ts";
import type { System } from "./system.ts";

/** Of Linux; there are no samples of processes elsewhere. */
const MS_PER_TICK = 10;
const BYTES_PER_KB = 1_024;

export interface ProcessSample {
  readonly pid: number;
  readonly rssBytes: number;
  readonly fds: number;
}

export interface Sample {
  /** Since the start, in ms. */
  readonly at: number;
  readonly servers: readonly ProcessSample[];
  /** The worker that is never killed. */
  readonly worker: ProcessSample;
  readonly databaseBytes: number;
  readonly logBytes: number;
  /** Workflows that ended since the sample before, and how long they took, in ms. */
  readonly ended: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Workflows that are under way. */
  readonly open: number;
}

export interface Idle {
  /** Of one processor, for each server. */
  readonly cpuPercent: readonly number[];
  /** Of all servers; absent where nobody counts them. */
  readonly transactionsPerSecond?: number;
}

export class Sampler {
  readonly #system: System;
  readonly #load: Load;
  readonly #startedAt = performance.now();

  constructor(system: System, load: Load) {
    this.#system = system;
    this.#load = load;
  }

  async sample(): Promise<Sample> {
    const { servers, workers } = this.#system;
    const { databaseBytes, logBytes } = await this.#system.stored();
    const taken = this.#load.taken();
    const last = workers.at(-1);
    if (!last) throw new Error("there are no workers");
    return {
      at: Math.round(performance.now() - this.#startedAt),
      servers: servers.map(processSample),
      worker: processSample(last),
      databaseBytes,
      logBytes,
      ended: taken.length,
      p50Ms: quantile(taken, 0.5),
      p99Ms: quantile(taken, 0.99),
      open: this.#load.open,
    };
  }

  /** What the servers do for so many ms in which nobody asks for anything. */
  async idle(ms: number): Promise<Idle> {
    const { servers } = this.#system;
    const cpuBefore = servers.map(processorMs);
    const { transactions: before } = await this.#system.stored();
    await wait(ms);
    const { transactions: after } = await this.#system.stored();
    return {
      cpuPercent: servers.map((server, at) =>
        rounded(((processorMs(server) - (cpuBefore[at] ?? 0)) / ms) * 100),
      ),
      ...(before !== undefined &&
        after !== undefined && {
          // One of them is the first question of this.
          transactionsPerSecond: rounded((after - before - 1) / (ms / 1_000)),
        }),
    };
  }
}

function processSample({ pid }: Program): ProcessSample {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { pid, rssBytes: kilobytes * BYTES_PER_KB, fds: readdirSync(`/proc/${pid}/fd`).length };
}

function processorMs({ pid }: Program): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ");
  return (Number(fields?.[11]) + Number(fields?.[12])) * MS_PER_TICK;
}

/** Of numbers in order; 0 of none. */
function quantile(sorted: readonly number[], share: number): number {
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
