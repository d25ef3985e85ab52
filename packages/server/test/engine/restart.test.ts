import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claimedCreate, global, Lab, NOW, RETRY_MS, targeted, timer } from "../support/lab.ts";

let lab: Lab;
afterEach(() => lab.close());

describe("a restart", () => {
  beforeEach(async () => {
    lab = await Lab.open({ store: "file" });
  });

  test("changes no record", async () => {
    for (const state of ["pending", "suspended", "halted", "fulfilled"] as const) {
      await lab.given(state, state, { param: { headers: { a: "b" }, data: "x" } });
    }
    const all = async () => [await lab.ok("promise.search", {}), await lab.ok("task.search", {})];
    const before = await all();

    await lab.restart();

    expect(await all()).toEqual(before);
  });

  test("offers the tasks that were pending to the first worker of their group", async () => {
    await lab.create("a", { tags: targeted });

    await lab.restart();

    expect(lab.connect("g", "w").take()).toEqual(["execute a 0"]);
  });

  test("offers no task before its delay", async () => {
    await lab.create("a", { tags: { ...targeted, "resonate:delay": String(NOW + 5_000) } });

    await lab.restart(4_000);
    const worker = lab.connect("g", "w");
    await lab.advance(999);
    expect(worker.take()).toEqual([]);
    await lab.advance(1);

    expect(worker.take()).toEqual(["execute a 0"]);
  });

  test("offers no task of a timer", async () => {
    await lab.create("a", { tags: { ...targeted, ...timer } });

    await lab.restart();
    const worker = lab.connect("g", "w");
    await lab.advance(2 * RETRY_MS);

    expect(worker.take()).toEqual([]);
  });

  test("frees the claims of the process that ended", async () => {
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));

    await lab.restart();

    expect(await lab.task("a")).toEqual({
      id: "a",
      state: "pending",
      version: 1,
      resumes: 0,
      failures: 1,
    });
    expect(lab.connect("g", "w").take()).toEqual(["execute a 1"]);
  });

  test("settles what fell due meanwhile at its own instant, and tells those who wait", async () => {
    await lab.given("t", "acquired");
    await lab.create("sleep", { tags: timer, timeoutAt: NOW + 1_000 });
    await lab.ok("task.suspend", {
      id: "t",
      version: 1,
      actions: [{ kind: "promise.register_callback", data: { awaited: "sleep", awaiter: "t" } }],
    });

    await lab.restart(100_000);

    expect(await lab.promise("sleep")).toMatchObject({ state: "resolved", settledAt: NOW + 1_000 });
    expect(await lab.task("t")).toMatchObject({ state: "pending", resumes: 1 });
    expect(lab.connect("g", "w").take()).toEqual(["execute t 1"]);
  });

  test("waits on for what is not yet due", async () => {
    await lab.create("a", { tags: global, timeoutAt: NOW + 1_000 });

    await lab.restart(400);
    await lab.advance(599);
    expect((await lab.store.due(NOW + 1_000, 1)).steps).toHaveLength(1);
    await lab.advance(1);

    expect((await lab.store.due(NOW + 1_000, 1)).steps).toHaveLength(0);
  });

  test("loses no notice that had not been delivered", async () => {
    await lab.create("a", { tags: global });
    await lab.ok("promise.register_listener", { awaited: "a", address: "poll://uni@g/l" });
    await lab.resolve("a");

    await lab.restart();
    const listener = lab.connect("g", "l");
    await lab.advance(RETRY_MS);

    expect(listener.take()).toEqual(["unblock a resolved"]);
  });

  test("remembers who waits, and what resumed a task", async () => {
    await lab.given("t", "suspended");
    await lab.given("u", "suspended");
    await lab.resolve("u-awaited");

    await lab.restart();
    await lab.resolve("t-awaited");

    expect(await lab.task("t")).toMatchObject({ state: "pending", resumes: 1 });
    const { preload } = await lab.ok(
      "task.acquire",
      { id: "u", version: 1, pid: "w", ttl: 1 },
      { "resonate:preload": "delta" },
    );
    expect(preload).toMatchObject([{ id: "u-awaited", state: "resolved" }]);
  });

  test("fires the occurrences that were missed, in order", async () => {
    await lab.ok("schedule.create", {
      id: "s",
      cron: "* * * * * *",
      promiseId: "{{.timestamp}}",
      promiseTimeout: 100_000,
      promiseTags: targeted,
    });

    await lab.restart(60_000);

    const { promises } = await lab.ok("promise.search", { limit: 1_000 });
    expect(promises).toHaveLength(60);
    expect(promises.at(-1)).toMatchObject({ id: String(NOW + 60_000), createdAt: NOW + 60_000 });
  });
});

describe("a restart with a grace for those who held claims", () => {
  beforeEach(async () => {
    lab = await Lab.open({ store: "file", restartGraceMs: 5_000 });
    await lab.ok("task.create", claimedCreate("a", { ttl: 60_000 }));
    await lab.restart();
  });

  test("keeps the claim of one who comes back in time", async () => {
    await lab.advance(4_999);
    lab.connect("g", "p1");
    await lab.advance(10_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("keeps the claim of one who has no stream and is heard of in time", async () => {
    await lab.advance(2_000);
    await lab.ok("task.heartbeat", { pid: "p1", tasks: [{ id: "a", version: 1 }] });
    await lab.advance(10_000);

    expect(await lab.task("a")).toMatchObject({ state: "acquired", version: 1 });
  });

  test("frees the claim of one who does not, when the grace is over", async () => {
    await lab.advance(4_999);
    expect(await lab.task("a")).toMatchObject({ state: "acquired" });
    await lab.advance(1);

    expect(await lab.task("a")).toMatchObject({ state: "pending" });
  });
});
