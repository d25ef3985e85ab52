/** What an engine shows to those who look on: its records, and who is connected, to other servers too. */
import type { Insight } from "../stores/insight.ts";
import type { Sharing } from "../stores/store.ts";
import type { Census } from "./census.ts";
import type { GroupCommitOptions } from "./options.ts";

/** Read only, and beside the protocol. */
export interface Inside {
  /** The engine's clock, in ms since the epoch. */
  now(): number;
  readonly records: Insight;
  /** Whether other servers may change the records. */
  readonly shared: boolean;
  /** Who is connected, and what waits for whom. */
  census(): Promise<Census>;
}

/** Most tasks of one group that are counted. */
const WAITING_MAX = 10_000;

/** `here`: who is connected to this server, and what waits here. */
export function insideOf(
  { store, clock }: Pick<GroupCommitOptions, "store" | "clock">,
  here: () => Census,
): Inside {
  const { insight, sharing } = store;
  return {
    now: () => clock.now(),
    records: insight,
    shared: sharing !== undefined,
    census: async () => (sharing ? everywhere(here(), sharing, clock.now()) : here()),
  };
}

async function everywhere(here: Census, sharing: Sharing, at: number): Promise<Census> {
  const { elsewhere, waiting } = await sharing.survey({ at, limit: WAITING_MAX });
  const known = new Set(here.present.map(({ group, id }) => JSON.stringify([group, id])));
  const others = elsewhere.filter(({ group, id }) => !known.has(JSON.stringify([group, id])));
  return { present: [...here.present, ...others], waiting };
}
