/**
 * What waits, and how large the store is: read when somebody asks for the metrics.
 *
 * I1. Groups of workers are named by clients, so no more than `GROUPS_MAX` of them are labels; all others are one.
 */
import { Gauge, type Registry } from "prom-client";
import type { Census } from "../engine/census.ts";
import type { Inside } from "../engine/inside.ts";

/** Groups that have a series of their own: those in which most waits. */
export const GROUPS_MAX = 20;
/** Longest name of a group that is a label, in characters. */
const NAME_LENGTH_MAX = 64;
/** Groups that have none. A group cannot be called so: it would have no address. */
const OTHERS = "";

interface Waiting {
  readonly group: string;
  readonly count: number;
  readonly oldestAt: number | undefined;
}

/** `inside`: nothing while the engine is not open, or where it shows nothing. */
export function watchRecords(register: Registry, inside: () => Inside | undefined): void {
  // Both numbers are of one look.
  let looking: Promise<Look> | undefined;
  const look = () => {
    looking ??= lookAt(inside()).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  new Gauge({
    name: "resonate_tasks_waiting",
    help: `Tasks that wait for a worker, by group: the ${GROUPS_MAX} groups with most of them, and all others without a name.`,
    labelNames: ["group"],
    registers: [register],
    async collect() {
      const { waiting } = await look();
      this.reset();
      for (const { group, count } of waiting) this.set({ group }, count);
    },
  });
  new Gauge({
    name: "resonate_tasks_oldest_waiting_seconds",
    help: "How long the first task that waits for a worker has waited, by group; as far as that is known.",
    labelNames: ["group"],
    registers: [register],
    async collect() {
      const { at, waiting } = await look();
      this.reset();
      for (const { group, oldestAt } of waiting) {
        if (oldestAt !== undefined) this.set({ group }, Math.max(0, at - oldestAt) / 1_000);
      }
    },
  });
  new Gauge({
    name: "resonate_store_bytes",
    help: "How much room the records take.",
    registers: [register],
    async collect() {
      const bytes = await inside()
        ?.records.bytes()
        .catch(() => undefined);
      if (bytes === undefined) this.remove();
      else this.set(bytes);
    },
  });
}

interface Look {
  readonly at: number;
  readonly waiting: readonly Waiting[];
}

/** What cannot be read is left out: the other metrics are wanted all the more then. */
async function lookAt(inside: Inside | undefined): Promise<Look> {
  if (!inside) return { at: 0, waiting: [] };
  const at = inside.now();
  return inside.census().then(
    ({ waiting }) => ({ at, waiting: fewOf(waiting) }),
    () => ({ at, waiting: [] }),
  );
}

function fewOf(waiting: Census["waiting"]): readonly Waiting[] {
  const groups = [...waiting]
    .map(([group, { count, oldestAt }]) => ({
      group: group.slice(0, NAME_LENGTH_MAX),
      count,
      oldestAt,
    }))
    .sort((one, other) => other.count - one.count);
  const rest = groups.slice(GROUPS_MAX);
  return [...groups.slice(0, GROUPS_MAX), ...together(rest)];
}

function together(groups: readonly Waiting[]): readonly Waiting[] {
  if (groups.length === 0) return [];
  const known = groups.flatMap(({ oldestAt }) => oldestAt ?? []);
  const oldestAt =
    known.length > 0 ? known.reduce((one, other) => Math.min(one, other)) : undefined;
  const count = groups.reduce((sum, one) => sum + one.count, 0);
  return [{ group: OTHERS, count, oldestAt }];
}
