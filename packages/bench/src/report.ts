/** What was measured, as text. */
import { cpus, loadavg, totalmem } from "node:os";
import type { Measured } from "./measure.ts";
import { SIDES } from "./sides.ts";
import { WORKLOADS } from "./workloads.ts";

/** By workload, then by side: one of each round. */
export type Results = Map<string, ReadonlyMap<string, readonly Measured[]>>;

/** What the others are compared with. */
const BASE = "official";
/** What a side could reach at most. The first that was measured counts. */
const LIMITS: Readonly<Record<string, readonly string[]>> = {
  file: ["disk", "sqlite"],
  server: ["post", "sqlite"],
};

export function describeMachine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 1e9);
  const load = loadavg()[1]?.toFixed(1); // Over five minutes: what else the machine had to do.
  return `Node ${process.versions.node}, ${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${memory} GB, load average ${load} before the run`;
}

/** One workload, as a table in Markdown. */
export function tableOf(name: string, sides: ReadonlyMap<string, readonly Measured[]>): string {
  const { title = name, unit = "" } = WORKLOADS[name] ?? {};
  const head = ["", `ms per ${unit}`, "min–max", "per s", "× official", "of the limit"];
  const timed = [...sides.values()].some(([first]) => first?.p99 !== undefined);
  const rows = [...sides].map(([side, all]) => rowOf(name, side, all, sides, timed));
  const columns = [...head, ...(timed ? ["p50 ms", "p99 ms"] : []), "MB", "MB of the server"];
  return `**${title}**\n\n${markdown([columns, ...rows])}`;
}

function rowOf(
  name: string,
  side: string,
  all: readonly Measured[],
  sides: ReadonlyMap<string, readonly Measured[]>,
  timed: boolean,
): string[] {
  const each = eachOf(name, all);
  const middle = median(each);
  const of = (other: string) => median(eachOf(name, sides.get(other) ?? []));
  const limit = LIMITS[side]?.find((one) => sides.has(one));
  const percentile = (key: "p50" | "p99") => shown(median(all.flatMap((one) => one[key] ?? [])));
  return [
    side,
    shown(middle),
    `${shown(Math.min(...each))}–${shown(Math.max(...each))}`,
    shown(1_000 / middle),
    shown(of(BASE) / middle),
    limit === undefined ? "" : `${shown(of(limit) / middle)} (${limit})`,
    ...(timed ? [percentile("p50"), percentile("p99")] : []),
    shown(median(all.map(({ memory }) => memory))),
    shown(median(all.flatMap(({ serverMemory }) => serverMemory ?? []))),
  ];
}

/** Milliseconds per unit, of each round. */
export function eachOf(name: string, all: readonly Measured[]): readonly number[] {
  return all.map(({ ms }) => ms / (WORKLOADS[name]?.count ?? 1));
}

/** `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = low] = sorted.slice(
    sorted.length % 2 ? half : half - 1,
    half + 1,
  );
  return (low + high) / 2;
}

/** Three digits; nothing for what is not there. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return "";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = rows.map(
    (row) => `| ${row.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join(" | ")} |`,
  );
  const rule = `|${widths.map((width, at) => (at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** The page in `docs`. */
export function report(run: {
  readonly machine: string;
  readonly rounds: number;
  readonly results: Results;
}): string {
  const sides = Object.entries(SIDES).map(([name, { title, durable }]) => [name, title, durable]);
  const tables = [...run.results].map(([name, measured]) => tableOf(name, measured));
  return `# Measurements

Written by \`pnpm bench --write\` on ${new Date().toISOString().slice(0, 10)}: ${run.rounds} rounds, every side in turn, each measurement in a process of its own, after a warm-up of a tenth of it. ${run.machine}. Medians. Compare within one table: the disk of a shared machine is not the same an hour later. Where the time goes is in [profile.md](profile.md).

![Times per unit, as a picture](benchmark.svg)

${markdown([["side", "what it is", "what it makes durable"], ...sides])}

*× official* is how many times the official SDK's rate, which makes nothing durable. *of the limit* is the share of what the machine gives with nothing around it: \`disk\` and \`sqlite\` in a file, \`post\` and \`sqlite\` with a server. A hop is two exchanges and two commits, so a half of \`post\` is all it can reach. *MB* is the most memory that was taken, by the process that asks (and works), and by its server.

${tables.join("\n\n")}
`;
}
