/** A random sequence of events, and the shortest part of it that still shows a difference. */
import { Difference, Duel, type Event, type Seen } from "./duel.ts";
import { RETRY_MS } from "./oracle.ts";
import type { Random } from "./random.ts";
import { generate, generateWalk } from "./requests.ts";
import type { OpenStore } from "./stores.ts";

/** Most requests of one transaction. */
const BATCH_MAX = 6;
/** How often a shorter sequence is tried. */
const TRIES_MAX = 600;
/** Whole states are compared at least so often. */
const COMPARE_EACH = 1_000;
const SHORT = [0, 0, 0, 0, 0, 1, 2, 7, 60] as const;
const LONG = [700, 1_500, RETRY_MS, 60_000, 700_000, 3_600_000] as const;

export interface Episode {
  /** Requests that were asked. */
  readonly operations: number;
  /** Micro-steps that the properties were checked after. */
  readonly steps: number;
  /** What differed, and the events that led there. */
  readonly failure?: { readonly difference: Difference; readonly events: readonly Event[] };
}

/** Random events on an empty store, `operations` requests of them. */
export async function runEpisode(
  random: Random,
  { store, close }: OpenStore,
  operations: number,
  seen: Seen,
): Promise<Episode> {
  const duel = new Duel(store, seen);
  const events: Event[] = [];
  let done = 0;
  let compared = 0;
  try {
    while (done < operations) {
      const event = nextEvent(random, duel);
      events.push(event);
      await duel.take(event);
      done += event.kind === "ask" ? event.requests.length : event.kind === "walk" ? 1 : 0;
      if (done - compared >= COMPARE_EACH) {
        await duel.compareAll();
        compared = done;
      }
    }
    await duel.compareAll();
    return { operations: done, steps: duel.world.steps };
  } catch (difference) {
    if (!(difference instanceof Difference)) throw difference;
    return { operations: done, steps: duel.world.steps, failure: { difference, events } };
  } finally {
    await close();
  }
}

function nextEvent(random: Random, { oracle }: Duel): Event {
  const lost = random.chance(0.1);
  if (random.chance(0.4)) {
    return {
      kind: "pass",
      ms: random.pick(random.chance(0.1) ? LONG : SHORT),
      lag: random.chance(0.3),
      lost,
    };
  }
  if (random.chance(0.05)) return { kind: "walk", search: generateWalk(random, oracle) };
  // Made for the state before the batch: the later ones of it may meet another.
  const requests = Array.from({ length: 1 + random.below(BATCH_MAX) }, () =>
    generate(random, oracle),
  );
  return { kind: "ask", requests, lost };
}

/** As few of the events as will do; each one left is needed. */
export async function shrink(
  events: readonly Event[],
  open: () => OpenStore | Promise<OpenStore>,
): Promise<readonly Event[]> {
  // One request to a transaction, where the difference does not need more.
  const single = events.flatMap((event): readonly Event[] =>
    event.kind === "ask"
      ? event.requests.map((request) => ({ ...event, requests: [request] }))
      : [event],
  );
  let shortest = (await differs(single, await open())) ? single : events;
  let tries = 0;
  for (let size = Math.ceil(shortest.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < shortest.length && tries < TRIES_MAX; tries++) {
      const shorter = shortest.toSpliced(at, size);
      if (await differs(shorter, await open())) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}

async function differs(events: readonly Event[], { store, close }: OpenStore): Promise<boolean> {
  const duel = new Duel(store);
  try {
    for (const event of events) await duel.take(event);
    await duel.compareAll();
    return false;
  } catch (error) {
    return error instanceof Difference;
  } finally {
    await close();
  }
}
