/** What the arguments of `pnpm bench` ask for. */
import { parseArgs } from "node:util";
import { SIDES, type SideInfo, suits } from "./sides.ts";
import { WORKLOADS, type Workload } from "./workloads.ts";

const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
const FAMILIES = ["limits", "ours", "peers"];

export const USAGE = `pnpm bench [--quick] [--rounds N] [--only NAMES] [--sides NAMES] [--write | --scale X]

  --quick        the small workloads, without the peers that are installed for it: less than two minutes
  --rounds N     how often everything is measured, 1 to ${ROUNDS_MAX}; default ${ROUNDS_DEFAULT}, with --quick 1
  --only NAMES   the workloads whose names start so: W1, W2- or any of
                 ${Object.keys(WORKLOADS).join(", ")}
  --sides NAMES  these sides: ${FAMILIES.join(", ")} or any of
                 ${Object.keys(SIDES).join(", ")}
  --scale X      does a share of each workload, more than 0 to 1: to try it out; default 1
  --write        writes docs/benchmark.md and docs/benchmark.svg
`;

export interface Wanted {
  readonly rounds: number;
  /** The sides of each workload, in the order in which they are measured. */
  readonly workloads: ReadonlyMap<string, readonly string[]>;
  /** The share of each workload that is done. */
  readonly scale: number;
  readonly write: boolean;
  readonly quick: boolean;
}

/** What is asked for, or what is wrong with it. */
export function wantedBy(args: readonly string[]): Wanted | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        only: { type: "string", default: "" },
        sides: { type: "string", default: FAMILIES.join() },
        scale: { type: "string", default: "1" },
        write: { type: "boolean", default: false },
      },
    });
    const { quick, only, write } = values;
    const rounds = Number(values.rounds ?? (quick ? 1 : ROUNDS_DEFAULT));
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) {
      return `--rounds must be a whole number from 1 to ${ROUNDS_MAX}, got '${values.rounds}'`;
    }
    const scale = Number(values.scale);
    if (!(scale > 0 && scale <= 1)) {
      return `--scale must be more than 0 and at most 1, got '${values.scale}'`;
    }
    if (write && scale < 1) return "--write wants the whole of each workload: leave --scale out";
    const given = values.sides.split(",");
    const unknown = given.find((name) => !FAMILIES.includes(name) && !(name in SIDES));
    if (unknown !== undefined) return `there is no side '${unknown}'`;
    const workloads = chosen({ starts: only.split(","), given, quick });
    if (workloads.size === 0) return `nothing of '${only}' can be measured on ${values.sides}`;
    return { rounds, workloads, scale, write, quick };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface Choice {
  readonly starts: readonly string[];
  readonly given: readonly string[];
  readonly quick: boolean;
}

function chosen({ starts, given, quick }: Choice): ReadonlyMap<string, readonly string[]> {
  const named = ([name, { family }]: [string, SideInfo]) =>
    given.includes(name) || given.includes(family);
  const sides = Object.entries(SIDES).filter(
    (side) => named(side) && !(quick && side[1].installed),
  );
  const fits = (name: string, { sides: of }: Workload) =>
    sides
      .filter(([side, info]) => suits(info, name) && (of?.includes(side) ?? true))
      .map(([side]) => side);
  return new Map(
    Object.entries(WORKLOADS)
      .filter(([name]) => starts.some((start) => begins(name, start)))
      .filter(([, workload]) => workload.quick || !quick)
      .map(([name, workload]) => [name, fits(name, workload)] as const)
      .filter(([, able]) => able.length > 0),
  );
}

/** A whole name stands for itself alone. */
function begins(workload: string, start: string): boolean {
  return start in WORKLOADS ? workload === start : workload.startsWith(start);
}
