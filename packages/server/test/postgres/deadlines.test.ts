/** A promise that one server has shown as timed out is so for all, however their clocks differ. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { postgresUrl } from "../support/every-store.ts";
import { Fleet } from "../support/fleet.ts";

const PROMISES = 150;
/** Between the deadlines of two promises, in ms. */
const STEP_MS = 8;
const EARLY_MS = 400;

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.open(2, { url: await postgresUrl() });
});
afterEach(() => fleet.close());

test("whoever settles at the very deadline, everyone sees one outcome", async () => {
  const first = Date.now() + 2 * EARLY_MS;
  const outcomes = await Promise.all(
    Array.from({ length: PROMISES }, (_, number) => duel(`p${number}`, first + number * STEP_MS)),
  );

  // Each promise was seen settled, by several, and in one way only.
  expect(outcomes.filter(({ seen }) => seen.size !== 1)).toEqual([]);
  const ways = new Set(outcomes.flatMap(({ seen }) => [...seen]));
  expect(ways).toEqual(new Set(["resolved", "rejected_timedout"]));
}, 60_000);

/** One server is asked again and again while another one settles at about the deadline. */
async function duel(id: string, timeoutAt: number) {
  await fleet.ok(0, "promise.create", { id, timeoutAt, param: {}, tags: {} });
  const seen = new Set<string>();
  const see = (state: string) => {
    if (state !== "pending") seen.add(state);
  };
  const read = async (server: number) => {
    see((await fleet.ok(server, "promise.get", { id })).promise.state);
  };
  // Some well before it, so that there are both outcomes also where everything takes its time.
  const early = Math.random() < 0.3 ? EARLY_MS : 3;
  const settleAt = until(timeoutAt - early + Math.random() * 6);
  await until(timeoutAt - early - 1);
  const reading = (async () => {
    while (Date.now() < timeoutAt + 10) await read(0);
  })();
  await settleAt;
  see((await fleet.ok(1, "promise.settle", { id, state: "resolved" })).promise.state);
  await reading;
  await Promise.all([read(0), read(1)]);
  return { id, seen };
}

async function until(instant: number): Promise<void> {
  const wait = instant - Date.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}
