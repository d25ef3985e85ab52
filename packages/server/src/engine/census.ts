/** Who is connected here, and what waits for whom: as the dispatcher has it. */
import type { Offer } from "./offers.ts";
import type { Member } from "./roster.ts";

/** A process that is connected. */
export interface Present {
  readonly group: string;
  /** The process (its pid). */
  readonly id: string;
  /** In ms since the epoch; absent for one that is connected to another server. */
  readonly connectedAt?: number;
  /** As it announced them: how many tasks it takes at a time, and the versions of its functions. */
  readonly slots?: number;
  readonly functions?: ReadonlyMap<string, ReadonlySet<number>>;
}

/** What waits for the workers of a group. */
export interface Waiting {
  readonly count: number;
  readonly more: boolean;
  /** The longest wait began then, as far as that is known, in ms since the epoch. */
  readonly oldestAt?: number;
}

export interface Census {
  readonly present: readonly Present[];
  /** By group. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}

/** `more`: there are offers beyond these. */
export function takeCensus(
  members: readonly Member<Offer>[],
  offers: Iterable<Offer>,
  more: boolean,
): Census {
  const waiting = new Map<string, { count: number; more: boolean; oldestAt: number }>();
  for (const { address, since } of offers) {
    const entry = waiting.get(address.group);
    if (entry) {
      entry.count++;
      entry.oldestAt = Math.min(entry.oldestAt, since);
    } else waiting.set(address.group, { count: 1, more, oldestAt: since });
  }
  return { present: members.map(presentOf), waiting };
}

function presentOf({ connection: { group, id }, connectedAt, announced }: Member<Offer>): Present {
  return {
    group,
    id,
    connectedAt,
    ...(announced && { slots: announced.slots, functions: announced.functions }),
  };
}
