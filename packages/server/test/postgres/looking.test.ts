/** What one server shows of what another one on the same database does. */
import type { DashboardEvent } from "@resonate-ts/protocol";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGroups } from "../../src/dashboard/groups.ts";
import { Live } from "../../src/dashboard/live.ts";
import { create, insideOf, send, tagsOf } from "../dashboard/engine.ts";
import { openPostgres, postgresUrl } from "../support/every-store.ts";
import { Fleet } from "../support/fleet.ts";

let fleet: Fleet;
let live: Live;
beforeEach(async () => {
  fleet = await Fleet.open(2, { url: await postgresUrl() });
  live = new Live({ inside: insideOf(fleet.at(0)), activity: { series: () => [] }, failed() {} });
});
afterEach(async () => {
  live.close();
  await fleet.close();
});

const groups = (number: number) => readGroups(insideOf(fleet.at(number)));

test("a worker that is connected to another server is shown, and what waits for whom", async () => {
  fleet.connect(1, "g", "w");
  await send(fleet.at(1), [
    create("a", { tags: tagsOf.run("a", "nobody") }),
    create("b", { tags: tagsOf.run("b", "nobody") }),
    create("c", { tags: tagsOf.run("c", "another") }),
  ]);

  // The other server says within a second who is connected to it.
  let seen = await groups(0);
  while (!seen.some(({ workers }) => workers.length > 0)) seen = await groups(0);

  expect(seen).toEqual([
    { group: "another", pending: { count: 1 }, oldestPendingAt: expect.any(Number), workers: [] },
    { group: "g", pending: { count: 0 }, workers: [{ id: "w", holds: 0 }] },
    { group: "nobody", pending: { count: 2 }, oldestPendingAt: expect.any(Number), workers: [] },
  ]);
  const [, own] = await groups(1);
  expect(own?.workers).toEqual([{ id: "w", holds: 0, connectedAt: expect.any(Number) }]);
});

test.each([
  ["executions", undefined],
  ["nodes", "a"],
])("what another server changes is told in %s", async (event, id) => {
  await send(fleet.at(0), [create("a", { tags: tagsOf.run("a") })]);
  const seen = Promise.withResolvers<DashboardEvent>();
  const isWanted = (one: DashboardEvent) =>
    (one.event === "nodes" || one.event === "executions") &&
    one.data.some(({ state }) => state === "resolved");
  const tell = (one: DashboardEvent) => {
    if (isWanted(one)) seen.resolve(one);
    return true;
  };
  await live.watch({ tell, over() {} }, id);
  const startedAt = performance.now();
  await send(fleet.at(1), [
    { kind: "promise.settle", data: { id: "a", state: "resolved", value: {} } },
  ]);

  expect((await seen.promise).event).toBe(event);
  // A second by the clock; the machine may be busy.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("a database of schema 1 is brought to the current one", async () => {
  const client = new pg.Client({ connectionString: await postgresUrl() });
  await client.connect();
  const added = ["promises_runs", "tasks_parked", "callbacks_awaiter"];
  for (const name of added) await client.query(`DROP INDEX resonate.${name}`);
  await client.query("UPDATE resonate.meta SET value = 1 WHERE name = 'schema'");

  await (await openPostgres()).close();

  const { rows } = await client.query(
    "SELECT indexname FROM pg_indexes WHERE indexname = ANY($1) ORDER BY indexname",
    [added],
  );
  await client.end();
  expect(rows.map(({ indexname }) => indexname)).toEqual(added.toSorted());
});
