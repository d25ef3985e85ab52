import { beforeEach, expect, test } from "vitest";
import { claimedCreate, global, NOW, onEveryStore, targeted } from "../support/lab.ts";

const create = (id: string, over: object = {}) => ({
  kind: "promise.create",
  head: { corrId: "inner", version: "2026-04-01" },
  data: { id, timeoutAt: NOW + 600_000, tags: global, ...over },
});
const settle = (id: string, state = "resolved", value = {}) => ({
  kind: "promise.settle",
  data: { id, state, value },
});

onEveryStore("task.fence", (lab) => {
  const fence = (version: number, action: object, id = "t") =>
    lab().ask("task.fence", { id, version, action }, { corrId: "outer" });

  test("an unknown task is 404", async () => {
    expect(await fence(1, create("c"))).toMatchObject({ status: 404 });
  });

  test("creates the promise and answers with the outer correlation id (D32)", async () => {
    await lab().given("t", "acquired");

    const answer = await fence(1, create("c", { param: { data: "1" } }));

    const promise = await lab().promise("c");
    expect(promise).toMatchObject({ state: "pending", param: { data: "1" }, createdAt: NOW });
    expect(answer).toEqual({
      status: 200,
      data: {
        action: {
          kind: "promise.create",
          head: { corrId: "outer", status: 200, version: "2026-04-01" },
          data: { promise },
        },
        preload: [],
      },
    });
  });

  test("creates a task with the promise, and offers it", async () => {
    const worker = lab().connect("g", "w");
    await lab().given("t", "acquired");

    await fence(1, create("c", { tags: targeted }));

    expect(worker.take()).toEqual(["execute c 0"]);
  });

  test("settles with all that follows, and returns what is stored", async () => {
    await lab().given("u", "suspended");
    await lab().given("t", "acquired");

    const { data } = await fence(1, settle("u-awaited", "rejected", { data: "x" }));

    expect(data.action.data.promise).toMatchObject({ state: "rejected", value: { data: "x" } });
    expect(await lab().task("u")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test("settling an unknown promise is 404 inside and 200 outside", async () => {
    await lab().given("t", "acquired");

    const { status, data } = await fence(1, settle("c"));

    expect([status, data.action.head.status, data.action.data]).toEqual([
      200,
      404,
      "Promise 'c' not found",
    ]);
  });

  test.each(["pending", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s is 409, and nothing is created",
    async (state) => {
      const { version } = await lab().given("t", state);

      const answer = await fence(version, create("c"));

      expect(answer.status).toBe(409);
      expect(answer.data).toContain("Version mismatch");
      expect(await lab().ask("promise.get", { id: "c" })).toMatchObject({ status: 404 });
    },
  );

  test.each([0, 2])("version %d of a task claimed at version 1 is 409", async (version) => {
    await lab().given("t", "acquired");

    expect(await fence(version, create("c"))).toMatchObject({ status: 409 });
    expect(await lab().ask("promise.get", { id: "c" })).toMatchObject({ status: 404 });
  });

  test("at the task's deadline it is 409, one millisecond before it is 200", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    await lab().given("u", "acquired", { timeoutAt: NOW + 9 });
    lab().jump(9);

    expect((await fence(1, create("c"), "u")).status).toBe(409);
    expect((await fence(1, create("c"))).status).toBe(200);
  });

  test("neither extends the lease nor changes the task", async () => {
    const before = await lab().given("t", "acquired");

    await lab().advance(9_999);
    await fence(1, create("c"));
    expect(await lab().task("t")).toEqual(before);
    await lab().advance(1);

    expect(await lab().task("t")).toMatchObject({ state: "pending" });
  });

  test("may act outside of the task's tree (D8)", async () => {
    await lab().given("t", "acquired");

    expect((await fence(1, create("elsewhere"))).status).toBe(200);
    expect((await fence(1, settle("elsewhere"))).status).toBe(200);
  });

  test("an old holder cannot act after another has claimed (C10)", async () => {
    await lab().ok("task.create", claimedCreate("t", { ttl: 10 }));
    await lab().advance(10);
    await lab().ok("task.acquire", { id: "t", version: 1, pid: "other", ttl: 10 });

    expect((await fence(1, create("c"))).status).toBe(409);
    expect((await fence(2, create("c"))).status).toBe(200);
  });
});

onEveryStore("task.fence with then", (lab) => {
  beforeEach(async () => {
    await lab().given("t", "acquired");
    await lab().create("one", { tags: global });
  });
  const fence = (action: object, then: object, version = 1) =>
    lab().ask("task.fence", { id: "t", version, action, then }, { corrId: "outer" });
  const exists = async (id: string) => (await lab().ask("promise.get", { id })).status === 200;

  test("settles, creates, and answers to both in one step", async () => {
    const { commits } = lab().store;

    const answer = await fence(settle("one", "resolved", { data: "1" }), create("two"));

    expect(lab().store.commits - commits).toBe(1);
    const [one, two] = [await lab().promise("one"), await lab().promise("two")];
    expect([one, two]).toMatchObject([
      { state: "resolved", value: { data: "1" } },
      create("two").data,
    ]);
    const head = { corrId: "outer", status: 200, version: "2026-04-01" };
    expect(answer).toEqual({
      status: 200,
      data: {
        action: { kind: "promise.settle", head, data: { promise: one } },
        // biome-ignore lint/suspicious/noThenProperty: the wire's name.
        then: { kind: "promise.create", head, data: { promise: two } },
        preload: [],
      },
    });
  });

  test("wakes who awaited the first, and offers the task of the second", async () => {
    const worker = lab().connect("g", "w");
    await lab().given("u", "suspended");

    await fence(settle("u-awaited"), create("two", { tags: targeted }));

    expect(worker.take().sort()).toEqual(["execute two 0", "execute u 1"]);
  });

  test("asked again after a lost answer gives the same answer", async () => {
    const ask = () => fence(settle("one", "rejected", { data: "x" }), create("two"));
    const first = await ask();
    lab().jump(5);

    expect(await ask()).toEqual(first);
  });

  test.each([
    ["another state", "rejected", "1"],
    ["another value", "resolved", "2"],
  ])("creates nothing when the first was settled before with %s", async (_, state, data) => {
    await lab().ok("promise.settle", { id: "one", state, value: { data } });

    const answer = await fence(settle("one", "resolved", { data: "1" }), create("two"));

    expect(answer.data.action.data.promise).toMatchObject({ state, value: { data } });
    expect([answer.status, "then" in answer.data, await exists("two")]).toEqual([
      200,
      false,
      false,
    ]);
  });

  test("creates nothing when the first has timed out", async () => {
    await lab().create("brief", { tags: global, timeoutAt: NOW + 10 });
    lab().jump(10);

    const { data } = await fence(settle("brief", "rejected"), create("two"));

    expect(data.action.data.promise.state).toBe("rejected_timedout");
    expect(["then" in data, await exists("two")]).toEqual([false, false]);
  });

  test("creates nothing when the first does not exist", async () => {
    const { data } = await fence(settle("nowhere"), create("two"));

    expect(data.action.head.status).toBe(404);
    expect(["then" in data, await exists("two")]).toEqual([false, false]);
  });

  test("answers with the second as it is when it exists already", async () => {
    await lab().ok("promise.create", create("two", { param: { data: "before" } }).data);

    const { data } = await fence(settle("one"), create("two", { param: { data: "now" } }));

    expect(data.then.data.promise.param).toEqual({ data: "before" });
  });

  test("does neither without the claim", async () => {
    expect((await fence(settle("one"), create("two"), 2)).status).toBe(409);
    expect((await lab().promise("one")).state).toBe("pending");
    expect(await exists("two")).toBe(false);
  });

  test.each([
    ["that creates the promise it settles", settle("one"), create("one")],
    ["that creates the task's own promise", settle("one"), create("t")],
    ["after a create", create("zero"), create("two")],
    ["that settles", settle("one"), settle("t")],
    ["that is malformed", settle("one"), create("two", { timeoutAt: -1 })],
  ])("%s is 400, and nothing is done", async (_, action, then) => {
    expect((await fence(action, then)).status).toBe(400);
    expect((await lab().promise("one")).state).toBe("pending");
  });
});
