/** Several servers on one database: who is connected to which makes no difference to what is done. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RealServer } from "../linearizability/real-server.ts";
import { postgresUrl } from "../support/every-store.ts";
import { Fleet, FOREVER } from "../support/fleet.ts";
import { until } from "../support/until.ts";

/** Longer than a look and what follows from it take on a busy machine. */
const LOOK_MS = 3_000;
/** A server that has said nothing for so long is gone. */
const GONE_MS = 5_000;
const GUIDE = new URL("../../../../docs/operations.md", import.meta.url);
const TARGET = "poll://any@g";

let fleet: Fleet;
let url: string;
beforeEach(async () => {
  url = await postgresUrl();
});
afterEach(() => fleet.close());

const created = (id: string, tags: object = { "resonate:target": TARGET }) => ({
  id,
  timeoutAt: FOREVER,
  param: {},
  tags,
});

describe.each([
  ["with hints", false],
  ["through a pooler, without hints", true],
])("two servers %s", (_, pooler) => {
  beforeEach(async () => {
    fleet = await Fleet.open(2, { url, pooler });
  });

  test("a task that one creates is offered to a worker of the other", async () => {
    const worker = fleet.connect(1, "g", "w");

    await fleet.ok(0, "promise.create", created("a"));

    await until("offered", () => worker.offered.includes("a"), LOOK_MS);
  });

  test("a task that waited for workers is offered to the first that comes, wherever it comes", async () => {
    await fleet.ok(0, "promise.create", created("b"));

    const worker = fleet.connect(1, "g", "w");

    await until("offered", () => worker.offered.includes("b"), LOOK_MS);
  });

  test("a task that is resumed by one goes on at a worker of the other", async () => {
    const worker = fleet.connect(1, "g", "w");
    await fleet.ok(0, "promise.create", created("c:0", { "resonate:scope": "global" }));
    const action = { kind: "promise.create", head: {}, data: created("c") };
    await fleet.ok(0, "task.create", { pid: "elsewhere", ttl: 60_000, action });
    const callback = { kind: "promise.register_callback", head: {} };
    const actions = [{ ...callback, data: { awaited: "c:0", awaiter: "c" } }];
    await fleet.ok(0, "task.suspend", { id: "c", version: 1, actions });

    await fleet.ok(0, "promise.settle", { id: "c:0", state: "resolved" });

    await until("offered", () => worker.offered.includes("c"), LOOK_MS);
  });

  test("a listener that is connected to the other hears of what one settles, once", async () => {
    const listener = fleet.connect(1, "listeners", "l");
    await fleet.ok(0, "promise.create", created("d", { "resonate:scope": "global" }));
    const address = "poll://uni@listeners/l";
    await fleet.ok(0, "promise.register_listener", { awaited: "d", address });

    await fleet.ok(0, "promise.settle", { id: "d", state: "resolved" });

    await until("told", () => listener.told.includes("d"), LOOK_MS);
    await until(
      "noted",
      async () => (await fleet.ask(0, "promise.get", { id: "d" })).status === 200,
    );
    const later = fleet.connect(1, "g", "w");
    await fleet.ok(0, "promise.create", created("e"));
    await until("offered", () => later.offered.includes("e"), LOOK_MS);
    expect(listener.told).toEqual(["d"]);
  });
});

describe("servers that hint", () => {
  test("need no look for it: ten hops take less time than looks would", async () => {
    fleet = await Fleet.open(2, { url });
    const workers = [fleet.connect(0, "even", "w0"), fleet.connect(1, "odd", "w1")] as const;
    await until("both are there", () =>
      fleet.engines.every(({ connections }) => connections === 1),
    );
    const begun = performance.now();

    for (let hop = 0; hop < 10; hop++) {
      const id = `hop${hop}`;
      const [from, to, group] =
        hop % 2 === 0 ? ([0, 1, "odd"] as const) : ([1, 0, "even"] as const);
      await fleet.ok(
        from,
        "promise.create",
        created(id, { "resonate:target": `poll://any@${group}` }),
      );
      await until("offered", () => workers[to].offered.includes(id), LOOK_MS);
      await fleet.ok(to, "task.acquire", { id, version: 0, pid: `w${to}`, ttl: 60_000 });
    }

    // A look each second finds ten one after the other in five seconds, on average.
    expect(performance.now() - begun).toBeLessThan(2_500);
  });

  test("tell the holder of a claim that its promise was settled by others", async () => {
    fleet = await Fleet.open(2, { url });
    const holder = fleet.connect(1, "g", "holder");
    await fleet.ok(0, "promise.create", created("r"));
    await until("offered", () => holder.offered.includes("r"), LOOK_MS);
    await fleet.ok(1, "task.acquire", { id: "r", version: 0, pid: "holder", ttl: 60_000 });

    await fleet.ok(0, "promise.settle", { id: "r", state: "rejected_canceled" });

    await until("told", () => holder.told.includes("r"), LOOK_MS);
  });
});

describe("what costs", () => {
  test("nothing is done is at most one question a second for each server", async () => {
    fleet = await Fleet.open(2, { url });
    fleet.connect(0, "g", "idle");
    // Whoever has just connected looks at once, and servers of tests before are found to be gone.
    await new Promise((resolve) => setTimeout(resolve, GONE_MS + 3_000));
    const query = vi.spyOn(pg.Client.prototype, "query");

    await new Promise((resolve) => setTimeout(resolve, 5_000));

    const asked = query.mock.calls.length;
    query.mockRestore();
    expect(asked).toBeGreaterThan(0);
    // A second more or less.
    expect(asked).toBeLessThanOrEqual(2 * 6);
  });

  test("a listening connection that is killed: a look finds what there is, and hints come again", async () => {
    fleet = await Fleet.open(2, { url });
    const worker = fleet.connect(1, "g", "w");
    for (let kill = 0; kill < 3; kill++) {
      await ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN resonate'",
      );
      await fleet.ok(0, "promise.create", created(`killed${kill}`));

      await until("offered", () => worker.offered.includes(`killed${kill}`), LOOK_MS);
    }

    await until("both listen", async () => (await listening()) === 2);
  });
});

describe("a server", () => {
  test("that is started leaves the claims of others' workers alone, and so does one that is closed", async () => {
    fleet = await Fleet.open(1, { url });
    const worker = fleet.connect(0, "g", "kept");
    await fleet.ok(0, "promise.create", created("k"));
    await until("offered", () => worker.offered.includes("k"));
    await fleet.ok(0, "task.acquire", { id: "k", version: 0, pid: "kept", ttl: 60_000 });
    const other = await Fleet.open(1, { url });

    await stays(GONE_MS + 2_000, async () => (await task("k")).state === "acquired");
    await other.close();

    await stays(1_500, async () => (await task("k")).state === "acquired");
  });

  test("keeps the claims of a worker that went from it to another one", async () => {
    fleet = await Fleet.open(2, { url });
    const before = fleet.connect(0, "g", "mover");
    await fleet.ok(0, "promise.create", created("m"));
    await until("offered", () => before.offered.includes("m"), LOOK_MS);
    await fleet.ok(0, "task.acquire", { id: "m", version: 0, pid: "mover", ttl: 60_000 });

    before.disconnect();
    fleet.connect(1, "g", "mover");

    await stays(2_500, async () => (await task("m")).state === "acquired");
  });

  test("frees what a worker held that left it and went nowhere, after its grace", async () => {
    fleet = await Fleet.open(2, { url });
    const gone = fleet.connect(0, "g", "gone");
    await fleet.ok(0, "promise.create", created("l"));
    await until("offered", () => gone.offered.includes("l"), LOOK_MS);
    await fleet.ok(0, "task.acquire", { id: "l", version: 0, pid: "gone", ttl: 60_000 });

    gone.disconnect();

    await until("freed", async () => (await task("l")).state === "pending", 4_000);
  });
});

test("a search that takes long keeps no other request waiting", async () => {
  fleet = await Fleet.open(1, { url });
  // A server that has just started looks for what is due, and that reads schedules too.
  for (const id of ["one", "two"]) await fleet.ok(0, "promise.create", created(id, {}));
  const blocker = new pg.Client({ connectionString: url });
  await blocker.connect();
  await blocker.query("BEGIN; LOCK TABLE resonate.schedules IN ACCESS EXCLUSIVE MODE");
  let found = false;
  const search = fleet.ok(0, "schedule.search", { tags: {}, limit: 1 }).then(() => {
    found = true;
  });

  await fleet.ok(0, "promise.create", created("s", {}));
  await fleet.ok(0, "promise.settle", { id: "s", state: "resolved" });

  expect(found).toBe(false);
  await blocker.end();
  await search;
});

test("after a restore, the versions that docs/operations.md skips refuse whoever holds a claim from later", async () => {
  fleet = await Fleet.open(1, { url });
  await fleet.ok(0, "promise.create", created("v"));
  await fleet.ok(0, "task.acquire", { id: "v", version: 0, pid: "before", ttl: 60_000 });
  const skip = /UPDATE resonate\.promises SET task_version.*;/.exec(readFileSync(GUIDE, "utf8"));

  await ask(String(skip));

  const settle = { kind: "promise.settle", head: {}, data: { id: "v", state: "resolved" } };
  const fulfill = { id: "v", version: 1, action: settle };
  expect((await fleet.ask(0, "task.fulfill", fulfill)).status).toBe(409);
  expect(await task("v")).toMatchObject({ state: "acquired", version: 1_000_001 });
});

describe("a server that is killed", () => {
  test("leaves its workers to others: who comes back keeps its claims, and who does not loses them", async () => {
    fleet = await Fleet.open(1, { url });
    const doomed = await RealServer.start("postgres", url);
    const [gone, back] = [await stream(doomed.url, "gone"), await stream(doomed.url, "back")];
    for (const pid of ["gone", "back"]) {
      await fleet.ok(0, "promise.create", created(pid));
      await fleet.ok(0, "task.acquire", { id: pid, version: 0, pid, ttl: 60_000 });
    }
    // It has said who is connected to it when it has looked.
    await until("seen", async () => (await known()).includes("gone"));

    await doomed.close();
    gone.destroy();
    back.destroy();
    fleet.connect(0, "g", "back");

    await until("freed", async () => (await task("gone")).state === "pending", GONE_MS + 5_000);
    expect(await task("back")).toMatchObject({ state: "acquired", pid: "back" });
  });
});

/** The processes that servers say are connected to them. */
async function known(): Promise<readonly string[]> {
  const rows = await ask("SELECT unnest(places) AS place FROM resonate.servers");
  return rows.map(({ place }) => JSON.parse(place)[1]);
}

async function listening(): Promise<number> {
  const rows = await ask(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN resonate'",
  );
  return rows.length;
}

// biome-ignore lint/suspicious/noExplicitAny: rows of every shape.
async function ask(text: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** A worker's stream to a server in another process. */
async function stream(server: string, pid: string): Promise<ClientRequest> {
  const asked = get(`${server}/poll/g/${pid}`, { headers: { "Resonate-Extensions": "lease" } });
  asked.on("error", () => {});
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.on("error", () => {}).resume();
  return asked;
}

// biome-ignore lint/suspicious/noExplicitAny: as an answer is.
async function task(id: string): Promise<any> {
  return (await fleet.ok(0, "task.get", { id })).task;
}

/** Is so for as long. */
async function stays(ms: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  await until("the time is over", async () => {
    expect(await isSo()).toBe(true);
    return performance.now() > end;
  });
}
