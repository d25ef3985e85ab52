/**
 * `pnpm bench [ROUNDS]`: runs every workload on every side, in turn, each in a process of its own, and prints
 * medians, the range, and the ratio to the official SDK in memory, which makes nothing durable. Compare within one
 * run: machines differ, and drift.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { measureDisk } from "./disk.ts";
import { median } from "./median.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS } from "./workloads.ts";

type SideName = keyof typeof SIDES;
type WorkloadName = keyof typeof WORKLOADS;

const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
/** What is compared with. */
const BASE: SideName = "official";

await main();

async function main(): Promise<void> {
  const rounds = roundsOf(process.argv[2]);
  if (rounds === undefined) {
    print(`pnpm bench [ROUNDS]: ROUNDS is a whole number from 1 to ${ROUNDS_MAX}`);
    process.exitCode = 2;
    return;
  }
  print(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
  print(`disk: ${measureDisk(500).toFixed(3)} ms per 4 KiB append and fdatasync\n`);
  for (const [name, { durable, title }] of Object.entries(SIDES)) {
    print(`${name}: ${title}; durable: ${durable}`);
  }
  for (const workload of Object.keys(WORKLOADS) as WorkloadName[]) {
    report(workload, await measureAll(workload, rounds));
  }
}

function roundsOf(text: string | undefined): number | undefined {
  const rounds = text === undefined ? ROUNDS_DEFAULT : Number(text);
  return Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX ? rounds : undefined;
}

async function measureAll(workload: WorkloadName, rounds: number) {
  const times = new Map<SideName, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const side of Object.keys(SIDES) as SideName[]) {
      times.set(side, [...(times.get(side) ?? []), await measure(side, workload)]);
    }
  }
  return times;
}

/** Milliseconds of one run. */
async function measure(side: SideName, workload: WorkloadName): Promise<number> {
  const program = new URL("./measure.ts", import.meta.url);
  const child = fork(program, [side, workload], { execArgv: ["--import", "tsx"] });
  const [ms] = await Promise.race([
    once(child, "message"),
    failed(child, `${side} on ${workload}`),
  ]);
  return ms as number; // What `measure.ts` sends.
}

async function failed(child: ReturnType<typeof fork>, what: string): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`${what} ended with code ${code} and no result`);
}

function report(name: WorkloadName, times: ReadonlyMap<SideName, readonly number[]>): void {
  const { title, count, unit } = WORKLOADS[name];
  const base = median(times.get(BASE) ?? []) / count;
  print(`\n${title}: ms per ${unit}`);
  for (const [side, all] of times) {
    const each = all.map((ms) => ms / count);
    const middle = median(each);
    const range = `${Math.min(...each).toFixed(3)}–${Math.max(...each).toFixed(3)}`;
    const ratio = side === BASE ? "" : `  ${(middle / base).toFixed(2)} of the time of ${BASE}`;
    print(`  ${side.padEnd(9)} ${middle.toFixed(3).padStart(8)}  (${range})${ratio}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
