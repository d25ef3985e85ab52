/** Groups, their workers, and what waits for them. */
import type { Worker, WorkerGroup } from "@resonate-ts/protocol";
import type { Census, Present } from "../engine/census.ts";
import type { Inside } from "../engine/inside.ts";

/** Most tasks that are counted to say what each worker holds. */
export const HELD_MAX = 10_000;

export async function readGroups({ records, census }: Inside): Promise<readonly WorkerGroup[]> {
  return groupsOf(await census(), await records.held(HELD_MAX));
}

/** By name. */
export function groupsOf(
  { present, waiting }: Census,
  held: ReadonlyMap<string, number>,
): readonly WorkerGroup[] {
  const members = Map.groupBy(present, ({ group }) => group);
  const names = [...new Set([...members.keys(), ...waiting.keys()])].sort();
  return names.map((group) => {
    const { count = 0, more = false, oldestAt } = waiting.get(group) ?? {};
    const workers = (members.get(group) ?? []).map((one) => workerOf(one, held));
    return {
      group,
      pending: { count, ...(more && { more }) },
      ...(oldestAt !== undefined && { oldestPendingAt: oldestAt }),
      workers: workers.sort((one, other) => (one.id < other.id ? -1 : 1)),
    };
  });
}

function workerOf(
  { id, connectedAt, slots, functions }: Present,
  held: ReadonlyMap<string, number>,
): Worker {
  return {
    id,
    ...(connectedAt !== undefined && { connectedAt }),
    ...(slots !== undefined && { slots }),
    holds: held.get(id) ?? 0,
    ...(functions && {
      functions: [...functions].map(([name, versions]) => ({
        name,
        versions: [...versions].sort((one, other) => one - other),
      })),
    }),
  };
}
