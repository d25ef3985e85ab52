/**
 * `tsx packages/bench/src/server/main.ts [--quick] [--rounds N]`: our server beside a bare one that only commits the
 * same rows. Both are measured in turn, in processes of their own; ratios are of medians of one run. `--quick` takes
 * about a minute and its numbers are rough; the whole takes some ten.
 */
import { parseArgs } from "node:util";
import { openDisk } from "../limits.ts";
import { median } from "../median.ts";
import { measureHistory } from "./history.ts";
import { measureRest } from "./rest.ts";
import { measureSpeed } from "./speed.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, rounds: { type: "string", default: "3" } },
});
const { quick } = values;
const rounds = quick ? 1 : Number(values.rounds);

await disk();
await speed();
await history();
await rest();

async function disk(): Promise<void> {
  const appends = 500;
  const log = await openDisk();
  const startedAt = performance.now();
  await log.run("", "", appends);
  const ms = (performance.now() - startedAt) / appends;
  await log.close();
  print(`disk: ${ms.toFixed(3)} ms per 4 KiB append and fdatasync`);
}

async function speed(): Promise<void> {
  const measured = await measureSpeed(rounds, quick);
  const of = (side: "bare" | "ours", what: keyof (typeof measured.ours)[number]) =>
    median(measured[side].map((one) => one[what]));
  const ratio = (what: keyof (typeof measured.ours)[number]) => of("ours", what) / of("bare", what);
  line(
    "one per POST, 64 connections",
    `${whole(of("ours", "single"))}/s`,
    ratio("single"),
    "≥ 0.7",
  );
  line(
    "64 per POST, 4 connections",
    `${whole(of("ours", "batched"))}/s`,
    ratio("batched"),
    "≥ 0.6",
  );
  line(
    "one in flight, median",
    `${of("ours", "aloneUs").toFixed(0)} µs`,
    ratio("aloneUs"),
    "≤ 1.5",
  );
  line(
    "p99 at half of that load",
    `${(of("ours", "halfLoadUs") / 1_000).toFixed(1)} ms`,
    ratio("halfLoadUs"),
    "< 10 ms",
  );
  print(
    `memory afterwards: ${of("ours", "residentMb").toFixed(0)} MB (goal < 150; bare ${of("bare", "residentMb").toFixed(0)})`,
  );
}

async function history(): Promise<void> {
  const [from, to] = quick ? [20_000, 100_000] : [100_000, 1_000_000];
  const { ours, bare } = await measureHistory({ from, to });
  const slope = ours.before / ours.after / (bare.before / bare.after);
  print(
    `settled promises, ${from} → ${to}: ours ${whole(ours.before)} → ${whole(ours.after)}/s, ` +
      `bare ${whole(bare.before)} → ${whole(bare.after)}/s; slower by ${slope.toFixed(2)} of what bare is (goal ≤ 1.2)`,
  );
}

async function rest(): Promise<void> {
  const { readyMs, idleShare, callsPerSecond } = await measureRest(quick ? 5_000 : 20_000);
  print(`ready ${readyMs.toFixed(0)} ms after the start of the process (goal ≤ 300)`);
  print(
    `idle: ${(idleShare * 100).toFixed(2)} % of a processor (goal < 1), ` +
      `${callsPerSecond.toFixed(1)} reads and writes a second`,
  );
}

function line(what: string, value: string, ratio: number, goal: string): void {
  print(`${what}: ${value}, ${ratio.toFixed(2)} of bare (goal ${goal})`);
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
