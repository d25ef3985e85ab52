import { expect, test } from "vitest";
import { fulfill, NOW, onEveryStore, RETRY_MS, suspend } from "../support/lab.ts";

onEveryStore("task.fulfill", (lab) => {
  test("an unknown task is 404", async () => {
    expect(await lab().ask("task.fulfill", fulfill("t", 1))).toMatchObject({ status: 404 });
  });

  test.each(["resolved", "rejected", "rejected_canceled"])(
    "%s settles the promise and ends the task",
    async (state) => {
      await lab().given("t", "acquired");
      const before = await lab().promise("t");
      lab().jump(4);

      const answer = await lab().ask("task.fulfill", fulfill("t", 1, state, { data: "x" }));

      const promise = { ...before, state, value: { data: "x" }, settledAt: NOW + 4 };
      expect(answer).toEqual({ status: 200, data: { promise } });
      expect(await lab().promise("t")).toEqual(promise);
      expect(await lab().task("t")).toEqual({
        id: "t",
        state: "fulfilled",
        version: 1,
        resumes: 0,
      });
    },
  );

  test("tells those who wait", async () => {
    await lab().given("child", "acquired");
    await lab().given("t", "acquired");
    await lab().ok("task.suspend", suspend("t", 1, "child"));
    await lab().ok("promise.register_listener", { awaited: "child", address: "poll://uni@g/l" });
    const worker = lab().connect("g", "l");

    await lab().ok("task.fulfill", fulfill("child", 1));

    expect(worker.take().sort()).toEqual(["execute t 1", "unblock child resolved"]);
  });

  test.each(["pending", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s is 409, and its promise stays as it is",
    async (state) => {
      const { version } = await lab().given("t", state);
      const before = await lab().promise("t");

      const answer = await lab().ask("task.fulfill", fulfill("t", version, "rejected"));

      expect(answer.status).toBe(409);
      expect(await lab().promise("t")).toEqual(before);
    },
  );

  test("a second one is 409, and so is another version", async () => {
    await lab().given("t", "acquired");

    expect((await lab().ask("task.fulfill", fulfill("t", 0))).status).toBe(409);
    expect((await lab().ask("task.fulfill", fulfill("t", 2))).status).toBe(409);
    expect((await lab().ask("task.fulfill", fulfill("t", 1))).status).toBe(200);
    expect((await lab().ask("task.fulfill", fulfill("t", 1))).status).toBe(409);
  });

  test("at the deadline it is 409, and the deadline's verdict stands", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    lab().jump(10);

    expect((await lab().ask("task.fulfill", fulfill("t", 1))).status).toBe(409);
    expect(await lab().promise("t")).toMatchObject({ state: "rejected_timedout" });
  });
});

onEveryStore("task.release", (lab) => {
  const release = (version: number) => lab().ask("task.release", { id: "t", version });

  test("an unknown task is 404", async () => {
    expect(await release(0)).toMatchObject({ status: 404 });
  });

  test("offers the task at once, at the same version, and again at the retry time-out", async () => {
    await lab().given("t", "acquired");
    const worker = lab().connect("g", "w");

    expect(await release(1)).toEqual({ status: 200, data: {} });

    expect(await lab().task("t")).toEqual({ id: "t", state: "pending", version: 1, resumes: 0 });
    expect(worker.take()).toEqual(["execute t 1"]);
    expect((await lab().store.due(0, 1)).nextAt).toBe(NOW + RETRY_MS);
  });

  test("keeps the resumes", async () => {
    await lab().given("t", "acquired");
    await lab().create("a", { tags: { "resonate:scope": "global" } });
    await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().resolve("a");

    await release(1);

    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test.each(["pending", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s is 409",
    async (state) => {
      const before = await lab().given("t", state);

      expect((await release(before.version)).status).toBe(409);
      expect(await lab().task("t")).toEqual(before);
    },
  );

  test("another version is 409, and so is a task past its deadline", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });

    expect((await release(2)).status).toBe(409);
    lab().jump(10);

    expect((await release(1)).status).toBe(409);
  });
});

onEveryStore("task.halt", (lab) => {
  const halt = () => lab().ask("task.halt", { id: "t" });

  test("an unknown task is 404, a fulfilled one 409", async () => {
    expect((await halt()).status).toBe(404);
    await lab().given("t", "fulfilled");

    expect((await halt()).status).toBe(409);
  });

  test.each(["pending", "acquired", "suspended"] as const)(
    "stops a task that is %s",
    async (state) => {
      const worker = lab().connect("g", "w");
      const { version } = await lab().given("t", state);
      worker.take();

      expect(await halt()).toEqual({ status: 200, data: {} });
      await lab().advance(3 * RETRY_MS);

      expect(await lab().task("t")).toEqual({ id: "t", state: "halted", version, resumes: 0 });
      expect(worker.take()).toEqual([]);
    },
  );

  test("of a halted task is 200 and changes nothing", async () => {
    const before = await lab().given("t", "halted");

    expect((await halt()).status).toBe(200);
    expect(await lab().task("t")).toEqual(before);
  });

  test("keeps the resumes, and counts those that come meanwhile", async () => {
    await lab().given("t", "suspended");
    await lab().create("b", { tags: { "resonate:scope": "global" } });
    await lab().ok("promise.register_callback", { awaited: "b", awaiter: "t" });
    await lab().resolve("t-awaited");

    await halt();
    await lab().resolve("b");

    expect(await lab().task("t")).toEqual({ id: "t", state: "halted", version: 1, resumes: 2 });
  });

  test("is learnt by the holder at its next call", async () => {
    await lab().given("t", "acquired");

    await halt();

    expect((await lab().ask("task.fulfill", fulfill("t", 1))).status).toBe(409);
  });

  test("at the deadline it is 409", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    lab().jump(10);

    expect((await halt()).status).toBe(409);
  });

  test("does not stop the deadline", async () => {
    await lab().given("t", "halted", { timeoutAt: NOW + 10 });

    await lab().advance(10);

    expect(await lab().task("t")).toMatchObject({ state: "fulfilled" });
    expect((await lab().store.due(NOW + 100, 10)).steps).toEqual([]);
  });
});

onEveryStore("task.continue", (lab) => {
  const goOn = () => lab().ask("task.continue", { id: "t" });

  test("an unknown task is 404", async () => {
    expect((await goOn()).status).toBe(404);
  });

  test("offers a halted task at its version, resumes kept", async () => {
    await lab().given("t", "suspended");
    await lab().resolve("t-awaited");
    await lab().ok("task.halt", { id: "t" });
    const worker = lab().connect("g", "w");

    expect(await goOn()).toEqual({ status: 200, data: {} });

    expect(await lab().task("t")).toEqual({ id: "t", state: "pending", version: 1, resumes: 1 });
    expect(worker.take()).toEqual(["execute t 1"]);
  });

  test.each(["pending", "acquired", "suspended", "fulfilled"] as const)(
    "a task that is %s is 409",
    async (state) => {
      const before = await lab().given("t", state);

      expect((await goOn()).status).toBe(409);
      expect(await lab().task("t")).toEqual(before);
    },
  );

  test("at the deadline it is 409 (C4)", async () => {
    await lab().given("t", "halted", { timeoutAt: NOW + 10 });
    lab().jump(10);

    expect((await goOn()).status).toBe(409);
  });

  test("halt and continue leave a claim as a release does", async () => {
    for (const id of ["t", "u"]) await lab().given(id, "acquired");

    await lab().ok("task.halt", { id: "t" });
    await goOn();
    await lab().ok("task.release", { id: "u", version: 1 });

    expect({ ...(await lab().task("t")), id: "u" }).toEqual(await lab().task("u"));
  });
});

onEveryStore("the server's own timers", (lab) => {
  test("an unclaimed offer is stored to be made again after the retry time-out", async () => {
    await lab().given("t", "pending");
    expect((await lab().store.due(0, 1)).nextAt).toBe(NOW + RETRY_MS);

    await lab().advance(RETRY_MS);

    expect((await lab().store.due(NOW + RETRY_MS, 1)).nextAt).toBe(NOW + 2 * RETRY_MS);
  });

  test("no task is offered at or after its deadline (C5)", async () => {
    // The lease of one and the retry of the other end at the very millisecond of the deadline.
    await lab().given("t", "acquired", { timeoutAt: NOW + 10_000 });
    await lab().given("u", "pending", { timeoutAt: NOW + RETRY_MS });
    await lab().advance(RETRY_MS - 1);
    expect(await lab().task("t")).toMatchObject({ state: "fulfilled" });
    const worker = lab().connect("g", "w");
    expect(worker.take()).toEqual(["execute u 0"]);

    await lab().advance(2 * RETRY_MS);

    expect(worker.take()).toEqual([]);
    expect(await lab().task("u")).toMatchObject({ state: "fulfilled", version: 0 });
  });
});
