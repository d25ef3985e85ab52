/**
 * `pnpm bench`: runs every workload on every side, in turn, each in a process of its own, and prints medians, ranges
 * and ratios. Compare within one run: machines differ, and drift.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chart } from "./chart.ts";
import type { Measured } from "./measure.ts";
import { describeMachine, type Results, report, tableOf } from "./report.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS, type Workload } from "./workloads.ts";

const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
/** Longer than the slowest side needs for the largest workload. */
const MEASURE_MS_MAX = 180_000;

const USAGE = `pnpm bench [--quick] [--rounds N] [--only NAME] [--write]

  --quick      the small workloads alone: less than two minutes
  --rounds N   how often everything is measured, 1 to ${ROUNDS_MAX}; default ${ROUNDS_DEFAULT}
  --only NAME  the workloads whose names start so: ${Object.keys(WORKLOADS).join(", ")}
  --write      writes docs/benchmark.md and docs/benchmark.svg
`;

interface Wanted {
  readonly rounds: number;
  readonly workloads: readonly string[];
  readonly write: boolean;
}

const wanted = wantedBy(process.argv.slice(2));
if (typeof wanted === "string") {
  process.stderr.write(`${wanted}\n\n${USAGE}`);
  process.exitCode = 2;
} else await main(wanted);

async function main({ rounds, workloads, write }: Wanted): Promise<void> {
  const machine = describeMachine();
  print(`${machine}\n`);
  for (const [name, { title, durable }] of Object.entries(SIDES)) {
    print(`${name.padEnd(9)} ${title}; durable: ${durable}`);
  }
  const results: Results = new Map();
  for (const name of workloads) {
    results.set(name, await measureAll(name, rounds));
    print(`\n${tableOf(name, results.get(name) ?? new Map())}`);
  }
  if (!write) return;
  const docs = new URL("../../../docs/", import.meta.url);
  writeFileSync(new URL("benchmark.md", docs), report({ machine, rounds, results }));
  writeFileSync(new URL("benchmark.svg", docs), chart(results));
}

/** What the arguments ask for, or what is wrong with them. */
function wantedBy(args: readonly string[]): Wanted | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string", default: String(ROUNDS_DEFAULT) },
        only: { type: "string", default: "" },
        write: { type: "boolean", default: false },
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) {
      return `--rounds must be a whole number from 1 to ${ROUNDS_MAX}, got '${values.rounds}'`;
    }
    const workloads = Object.entries(WORKLOADS)
      .filter(([name, { quick }]) => name.startsWith(values.only) && (quick || !values.quick))
      .map(([name]) => name);
    if (workloads.length === 0) return `no workload's name starts with '${values.only}'`;
    return { rounds, workloads, write: values.write };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function measureAll(name: string, rounds: number): Promise<Map<string, Measured[]>> {
  const measured = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const side of sidesOf(name)) {
      measured.set(side, [...(measured.get(side) ?? []), await measure(side, name)]);
    }
  }
  return measured;
}

function sidesOf(workload: string): readonly string[] {
  const { sides } = WORKLOADS[workload] ?? {};
  return Object.entries(SIDES)
    .filter(([name, { only }]) => {
      const meant = only === undefined || only.some((start) => workload.startsWith(start));
      return meant && (sides === undefined || sides.includes(name));
    })
    .map(([name]) => name);
}

async function measure(side: string, name: string): Promise<Measured> {
  const startedAt = performance.now();
  // Without a loader: Node reads TypeScript itself, and a cold start is that of Node.
  const child = fork(new URL("./measure.ts", import.meta.url), [side, name], { execArgv: [] });
  const cancel = AbortSignal.timeout(MEASURE_MS_MAX);
  cancel.addEventListener("abort", () => child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const failed = exited.then(([code]) => {
    throw new Error(`${side} on ${name} ended with code ${code} and no result`);
  });
  const [measured] = (await Promise.race([once(child, "message"), failed])) as [Measured];
  const fromStart = performance.now() - startedAt;
  await exited;
  const { cold }: Pick<Workload, "cold"> = WORKLOADS[name] ?? {};
  return cold ? { ...measured, ms: fromStart } : measured;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
