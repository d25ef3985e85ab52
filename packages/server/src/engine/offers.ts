/** Offers that are remembered, and how many of them one connection may have. */
import type { Address } from "@resonate-ts/protocol";
import type { Call } from "./call.ts";
import type { Member } from "./roster.ts";

/** Most unanswered offers of one connection: some milliseconds of work for a worker that takes them at once. */
export const WINDOW = 64;
/** Most of them that are stale. */
const STALE_WINDOW = WINDOW / 2;

export type PollAddress = Extract<Address, { readonly kind: "poll" }>;

/** An offer, as the dispatcher has it. */
export interface Offer extends TaskVersion {
  /** Since when it waits, as far as that is known, in ms since the epoch. */
  readonly since: number;
  /** The deadline of its promise: from then on nobody is asked. */
  readonly timeoutAt: number;
  readonly call: Call | undefined;
  readonly address: PollAddress;
  /** Who has it, and since when; absent while it is in a queue. */
  sent?: { readonly to: Member<Offer>; readonly at: number };
  /** It is being claimed for somebody. */
  claiming?: true;
  /** It was left unanswered. */
  stale: boolean;
}

/** Names a task at a claim. */
export interface TaskVersion {
  readonly id: string;
  readonly version: number;
}

export function hasRoom({ offers }: Member<Offer>, { stale }: Pick<Offer, "stale">): boolean {
  return offers.size < (stale ? STALE_WINDOW : WINDOW);
}

/** Names the queue of those who wait for any of a group, or for one process of it; stale ones have their own. */
export function queueOf(
  { cast, group, id }: Pick<PollAddress, "cast" | "group" | "id">,
  { stale }: Pick<Offer, "stale">,
): string {
  const place = cast === "uni" ? `uni ${group}\0${id ?? ""}` : `any ${group}`;
  return stale ? `stale ${place}` : place;
}
