/**
 * `pnpm bench`: runs every workload on every side, in turn, each in a process of its own, and prints medians, ranges
 * and ratios. Compare within one run: machines differ, and drift.
 */
import { writeFileSync } from "node:fs";
import { chart } from "./chart.ts";
import { installPeers } from "./peers.ts";
import { preparePostgres } from "./postgres.ts";
import { describeMachine, legend, report, tableOf, tableOfGoals } from "./report.ts";
import { measureAll, type Outcome } from "./rounds.ts";
import { SIDES } from "./sides.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";
import { USAGE, type Wanted, wantedBy } from "./wanted.ts";

const wanted = wantedBy(process.argv.slice(2));
if (typeof wanted === "string") {
  process.stderr.write(`${wanted}\n\n${USAGE}`);
  process.exitCode = 2;
} else await main(wanted);

async function main({ rounds, workloads, scale, write, quick }: Wanted): Promise<void> {
  const machine = describeMachine();
  print(`${machine}\n`);
  if (quick) print("quick: without Restate and DBOS, and only the small workloads\n");
  const able = new Set([...workloads.values()].flat());
  const sides = Object.keys(SIDES).filter((side) => able.has(side));
  print(`${legend(sides)}\n`);
  const folder = temporaryFolder();
  process.once("exit", () => remove(folder));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  if (sides.some((side) => SIDES[side]?.installed)) await installPeers(print);
  const postgres = sides.some((side) => SIDES[side]?.database)
    ? preparePostgres(folder)
    : undefined;
  const results = new Map<string, ReadonlyMap<string, Outcome>>();
  for (const [workload, its] of workloads) {
    const run = { workload, sides: its, rounds, scale, folder, postgres, progress };
    const startedAt = performance.now();
    results.set(workload, await measureAll(run));
    progress("");
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    print(`\n${tableOf(results, workload)}\n\n(${seconds} s)`);
  }
  const goals = tableOfGoals(results);
  if (goals) print(`\n**Goals**\n\n${goals}`);
  if (!write) return;
  const docs = new URL("../../../docs/", import.meta.url);
  writeFileSync(new URL("benchmark.md", docs), report({ machine, rounds, results }));
  writeFileSync(new URL("benchmark.svg", docs), chart(results));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is under way, in one line that goes away, where somebody looks. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}
