import { expect, test } from "vitest";
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
