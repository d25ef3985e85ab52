/** Waits until nothing in a lab can go on unless time moves. */
import type { Activity } from "./activity.ts";
import type { Calls } from "./calls.ts";

/**
 * How many turns of the event loop in a row must pass with nothing happening. The server's engine begins a commit
 * one turn after it was asked to, and nothing takes more turns than that without being counted.
 */
const TURNS = 3;
/** How long functions may do something of their own, in ms of real time, before that is an error. */
const BUSY_MS_MAX = 5_000;

/** @throws Error when functions are still busy with something of their own after `BUSY_MS_MAX`, naming them. */
export async function stillness(activity: Activity, calls: Calls): Promise<void> {
  let seen = -1;
  for (let quiet = 0; quiet < TURNS; quiet++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (activity.underWay > 0 || activity.count !== seen) quiet = -1;
    else if (quiet === TURNS - 1 && calls.busy().length > 0) {
      await change(calls);
      quiet = -1;
    }
    seen = activity.count;
  }
}

async function change(calls: Calls): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(busy(calls)), BUSY_MS_MAX);
  });
  try {
    await Promise.race([calls.changed(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function busy(calls: Calls): Error {
  const names = calls.busy().map(({ name, id, process }) => `${name} ('${id}' on ${process})`);
  return new Error(
    `Time cannot move: for ${BUSY_MS_MAX / 1_000} s of real time nothing happened but in ${names.join(", ")}. Mock it with lab.mock, or let it wait with lab.delay.`,
  );
}
