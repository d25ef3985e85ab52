/** What was measured, as text. */
import { cpus, loadavg, totalmem } from "node:os";
import { GOALS, isMet } from "./goals.ts";
import { shown, table } from "./markdown.ts";
import type { Measured } from "./measuring.ts";
import { eachOf, middle, msOf, type Results, ratio } from "./results.ts";
import type { Outcome } from "./rounds.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS } from "./workloads.ts";

/** What the others are compared with, where it was measured. */
const BASES: Readonly<Record<string, string>> = {
  restate: "× Restate",
  dbos: "× DBOS",
  official: "× official",
};
/** What a side could reach at most. The first that was measured counts. */
const LIMITS: Readonly<Record<string, readonly string[]>> = {
  file: ["disk", "sqlite"],
  server: ["post", "sqlite"],
};

interface Column {
  readonly head: string;
  cell(side: string, outcome: Outcome): string;
}

export function describeMachine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 1e9);
  const load = loadavg()[1]?.toFixed(1); // Over five minutes: what else the machine had to do.
  return `Node ${process.versions.node}, ${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${memory} GB, load average ${load} before the run`;
}

/** One workload, as a table in Markdown; below it what failed, and why. */
export function tableOf(results: Results, workload: string): string {
  const { title = workload } = WORKLOADS[workload] ?? {};
  const sides = [...(results.get(workload) ?? [])];
  const present = sides.filter(([, { measured }]) => measured.length > 0);
  const columns = columnsOf(results, workload).filter(({ cell }) =>
    present.some(([side, outcome]) => cell(side, outcome) !== ""),
  );
  const rows = present.map(([side, outcome]) => [
    side,
    ...columns.map(({ cell }) => cell(side, outcome)),
  ]);
  const failed = sides.flatMap(([side, { failed: reason }]) =>
    reason === undefined ? [] : [`${side} failed: ${reason.replaceAll(/\s+/g, " ")}`],
  );
  const head = ["", ...columns.map((column) => column.head)];
  const tables = rows.length > 0 ? [table([head, ...rows])] : [];
  return [`**${title}**`, ...tables, ...failed].join("\n\n");
}

function columnsOf(results: Results, workload: string): readonly Column[] {
  if (WORKLOADS[workload]?.kind === "rest") return REST_COLUMNS;
  const { unit = "" } = WORKLOADS[workload] ?? {};
  const ms = (side: string) => msOf(results, workload, side);
  return [
    { head: `ms per ${unit}`, cell: (side) => shown(ms(side)) },
    { head: "min–max", cell: (_, outcome) => range(eachOf(outcome)) },
    { head: "per s", cell: (side) => shown(ratio(1_000, ms(side))) },
    ...Object.entries(BASES).map(([base, head]) => ({
      head,
      cell: (side: string) => shown(ratio(ms(base), ms(side))),
    })),
    {
      head: "of the limit",
      cell(side) {
        const limit = LIMITS[side]?.find((one) => ms(one) !== undefined);
        return limit === undefined ? "" : `${shown(ratio(ms(limit), ms(side)))} (${limit})`;
      },
    },
    figure("p50 ms", "p50"),
    figure("p99 ms", "p99"),
    figure("finished, and ran again", "again"),
    figure("recorded before", "recorded"),
    figure("recorded, and ran again", "recordedAgain"),
    figure("MB", "memory"),
    figure("MB of the server", "serverMemory"),
  ];
}

const REST_COLUMNS: readonly Column[] = [
  {
    head: "% of a processor",
    cell: (_, { measured }) =>
      shown(middle(measured.flatMap(({ processorShare = 0 }) => processorShare * 100))),
  },
  figure("statements per s", "statementsPerS"),
  figure("MB of the server", "serverMemory"),
];

/** The median of what was measured beside the time. */
function figure(head: string, key: keyof Measured): Column {
  return {
    head,
    cell: (_, { measured }) => shown(middle(measured.flatMap((one) => one[key] ?? []))),
  };
}

function range(values: readonly number[]): string {
  return `${shown(Math.min(...values))}–${shown(Math.max(...values))}`;
}

/** The goals, each with what was reached, of those that were measured; empty without any. */
export function tableOfGoals(results: Results): string {
  const rows = GOALS.flatMap((goal) => {
    const met = isMet(goal, results);
    if (met === undefined) return [];
    const { bound, workload, text } = goal;
    const wanted = "atLeast" in bound ? `≥ ${shown(bound.atLeast)}` : `≤ ${shown(bound.atMost)}`;
    return [[`${workload} · ${text}`, wanted, shown(goal.reached(results)), met ? "yes" : "no"]];
  });
  return rows.length === 0 ? "" : table([["", "goal", "reached", "met"], ...rows]);
}

/** Each side: what it is, what it makes durable, and how it says what is measured. */
export function legend(sides: Iterable<string>): string {
  const known = [...sides].flatMap((name) => {
    const side = SIDES[name];
    return side ? [{ name, ...side }] : [];
  });
  const rows = known.map(({ name, title, durable }) => [name, title, durable]);
  const notes = known.flatMap(({ name, note }) =>
    note === undefined ? [] : [`- ${name}: ${note}`],
  );
  const sidesTable = table([["side", "what it is", "what it makes durable"], ...rows]);
  return notes.length === 0 ? sidesTable : `${sidesTable}\n\n${notes.join("\n")}`;
}

/** The page in `docs`. */
export function report(run: {
  readonly machine: string;
  readonly rounds: number;
  readonly results: Results;
}): string {
  const { machine, rounds, results } = run;
  const measured = new Set([...results.values()].flatMap((sides) => [...sides.keys()]));
  const sides = Object.keys(SIDES).filter((side) => measured.has(side));
  const tables = [...results.keys()].map((workload) => tableOf(results, workload));
  return `# Measurements

Written by \`pnpm bench --write\` on ${new Date().toISOString().slice(0, 10)}: ${rounds} rounds, every side in turn, each measurement in a process of its own with empty storage, after a warm-up of a tenth of it. ${machine}. Medians. Compare within one table: the disk of a shared machine is not the same an hour later. Where the time goes is in [profile.md](profile.md).

![Times per unit, as a picture](benchmark.svg)

${legend(sides)}

*× Restate*, *× DBOS* and *× official* say how many times as fast a side is as that one; the official SDK makes nothing durable. *of the limit* is the share of what the machine gives with nothing around it: \`disk\` and \`sqlite\` in a file, \`post\` and \`sqlite\` with a server. A hop is two exchanges and two commits, so a half of \`post\` is all it can reach. *MB* is the most memory that was taken, by the process that asks (and works), and by its server.

After a kill, *finished, and ran again* are children that had written into an external log that they were done and were started once more; *recorded before* are those whose result the store had at the kill, which only our sides can be asked for here, and *recorded, and ran again* what became of these. The worker is started again at once, so the start of a process is a part of every recovery.

**Goals**

${tableOfGoals(results)}

${tables.join("\n\n")}
`;
}
