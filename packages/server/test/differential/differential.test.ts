/**
 * Random operations against the oracle, on every store. `SEED` repeats a run; `OPERATIONS=200000` is the long one.
 * A difference is shown with the events that are needed for it.
 */
import { describe, expect, test, vi } from "vitest";
import { tapped } from "../properties/tap.ts";
import { runEpisode, shrink } from "./episode.ts";
import { Random } from "./random.ts";
import { STORE_NAMES, STORES, type StoreName } from "./stores.ts";

vi.mock("../../src/core/handlers.ts", async (original) =>
  tapped(await original<typeof import("../../src/core/handlers.ts")>()),
);

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** On each store; fewer where each one is several journeys to another process. */
const OPERATIONS: Readonly<Record<StoreName, number>> = {
  memory: 20_000,
  sqlite: 20_000,
  postgres: 4_000,
};
/** Whether a difference is worth the time to find out what is needed for it. */
const shrinks = process.env["SHRINK"] !== "no";
/** Lengths of episodes, in operations: short ones begin often, long ones go far. */
const EPISODES = [20, 80, 80, 80, 400, 2_000] as const;
/** Fewer operations need not have met every answer. */
const OPERATIONS_TO_SEE_ALL = 20_000;

/** Every status that the protocol documents for a kind. */
const DOCUMENTED: Readonly<Record<string, readonly number[]>> = {
  "promise.get": [200, 400, 404],
  "promise.create": [200, 400],
  "promise.settle": [200, 400, 404],
  "promise.register_callback": [200, 400, 404, 422],
  "promise.register_listener": [200, 400, 404, 422],
  "promise.search": [200, 400],
  "promise.search by pages": [200],
  "task.get": [200, 400, 404],
  "task.create": [200, 400, 409, 422],
  "task.acquire": [200, 400, 404, 409],
  "task.fence": [200, 400, 404, 409],
  "task.fence of promise.create": [200],
  "task.fence of both": [200],
  "task.fence of promise.settle": [200, 404],
  "task.heartbeat": [200, 400],
  "task.suspend": [200, 300, 400, 404, 409, 422],
  "task.fulfill": [200, 400, 404, 409],
  "task.release": [200, 400, 404, 409],
  "task.halt": [200, 400, 404, 409],
  "task.continue": [200, 400, 404, 409],
  "task.search": [200, 400],
  "task.search by pages": [200],
  "worker.announce": [200, 400, 409],
  "schedule.create": [200, 400],
  "schedule.get": [200, 400, 404],
  "schedule.delete": [200, 400, 404],
  "schedule.search": [200, 400],
  "schedule.search by pages": [200],
};

describe.each(STORE_NAMES)("%s", (name) => {
  const operations = Number(process.env["OPERATIONS"] ?? OPERATIONS[name]);
  test(`${operations} random operations do what the protocol says, and keep every property (SEED=${seed})`, async () => {
    const random = new Random(seed);
    const seen = new Map<string, Set<number>>();
    const see = (kind: string, status: number) => {
      seen.set(kind, (seen.get(kind) ?? new Set()).add(status));
    };
    let steps = 0;
    for (let done = 0; done < operations; ) {
      const length = Math.min(random.pick(EPISODES), operations - done);
      const episode = await runEpisode(random, await STORES[name](), length, see);
      if (episode.failure) {
        const { events: all } = episode.failure;
        const events = shrinks ? await shrink(all, STORES[name]) : all;
        expect.fail(
          [
            `SEED=${seed}, operation ${done + episode.operations}: ${episode.failure.difference.message}`,
            "after",
            ...events.map((event) => JSON.stringify(event)),
          ].join("\n"),
        );
      }
      done += episode.operations;
      steps += episode.steps;
    }

    // The tap is in its place: each operation that is not refused is a step, and most are followed by others.
    expect(steps).toBeGreaterThan(operations / 2);
    if (operations >= OPERATIONS_TO_SEE_ALL) expect(sorted(seen)).toEqual(DOCUMENTED);
  }, 3_600_000);
});

function sorted(seen: ReadonlyMap<string, ReadonlySet<number>>) {
  return Object.fromEntries(
    [...seen].map(([kind, statuses]) => [kind, [...statuses].sort((a, b) => a - b)]),
  );
}
