/** How the server is. */
import type { Overview } from "@resonate-ts/protocol";
import type { Inside } from "../engine/inside.ts";
import type { Activity } from "./activity.ts";
import { readGroups } from "./groups.ts";

/** How far what is open is counted. */
const COUNT_MAX = 10_000;

/** What is known of the server itself. */
export interface ServerFacts {
  readonly version: string;
  readonly startedAt: number;
  readonly storage: Overview["storage"]["type"];
}

export async function readOverview(
  inside: Inside,
  activity: Pick<Activity, "series">,
  { version, startedAt, storage }: ServerFacts,
): Promise<Overview> {
  const { records } = inside;
  const { promises, pending, acquired, suspended, halted } = await records.open(COUNT_MAX);
  const bytes = await records.bytes();
  const groups = await readGroups(inside);
  return {
    at: inside.now(),
    startedAt,
    version,
    storage: { type: storage, ...(bytes !== undefined && { bytes }) },
    open: {
      promises: counted(promises),
      pending: counted(pending),
      acquired: counted(acquired),
      suspended: counted(suspended),
      halted: counted(halted),
    },
    series: activity.series(),
    groups,
  };
}

function counted({ count, more }: { readonly count: number; readonly more: boolean }) {
  return more ? { count, more } : { count };
}
