import { expect, test } from "vitest";
import {
  claimedCreate,
  global,
  NOW,
  onEveryStore,
  RETRY_MS,
  targeted,
  timer,
} from "../support/lab.ts";

onEveryStore("task.create", (lab) => {
  test("a new task is born acquired at version 1, and is not offered", async () => {
    const worker = lab().connect("g", "w");

    const answer = await lab().ask("task.create", claimedCreate("t", { ttl: 500 }));

    const promise = {
      id: "t",
      state: "pending",
      param: {},
      value: {},
      tags: targeted,
      timeoutAt: NOW + 600_000,
      createdAt: NOW,
    };
    const task = { id: "t", state: "acquired", version: 1, resumes: 0, ttl: 500, pid: "p1" };
    expect(answer).toEqual({ status: 200, data: { task, promise, preload: [] } });
    expect(await lab().task("t")).toEqual(task);
    expect(worker.take()).toEqual([]);
  });

  test("its lease ends ttl after now: it is offered at version 1", async () => {
    const worker = lab().connect("g", "w");
    await lab().ok("task.create", claimedCreate("t", { ttl: 500 }));

    await lab().advance(499);
    expect(await lab().task("t")).toMatchObject({ state: "acquired" });
    await lab().advance(1);

    expect(await lab().task("t")).toEqual({
      id: "t",
      state: "pending",
      version: 1,
      resumes: 0,
      failures: 1,
    });
    expect(worker.take()).toEqual(["execute t 1"]);
  });

  test.each([
    ["", targeted, "rejected_timedout"],
    [" of a timer", { ...targeted, ...timer }, "resolved"],
  ])(
    "a task%s whose deadline is this millisecond is born fulfilled at version 0",
    async (_, tags, state) => {
      const answer = await lab().ask("task.create", claimedCreate("t", { tags, timeoutAt: NOW }));

      expect(answer).toMatchObject({
        status: 200,
        data: {
          task: { id: "t", state: "fulfilled", version: 0, resumes: 0 },
          promise: { state, createdAt: NOW, settledAt: NOW },
          preload: [],
        },
      });
    },
  );

  test("a promise without a target is 422", async () => {
    await lab().create("t", { tags: global });

    expect(await lab().ask("task.create", claimedCreate("t"))).toMatchObject({ status: 422 });
  });

  test("a settled promise without a target is 422 too", async () => {
    await lab().create("t", { timeoutAt: NOW });

    expect(await lab().ask("task.create", claimedCreate("t"))).toMatchObject({ status: 422 });
  });

  test("a pending task is claimed: version + 1, and what was stored wins", async () => {
    const promise = await lab().create("t", { tags: targeted, param: { data: "stored" } });

    const answer = await lab().ask(
      "task.create",
      claimedCreate("t", { ttl: 500, timeoutAt: NOW + 1, param: { data: "sent" } }),
    );

    const task = { id: "t", state: "acquired", version: 1, resumes: 0, ttl: 500, pid: "p1" };
    expect(answer).toEqual({ status: 200, data: { task, promise, preload: [] } });
  });

  test("claiming clears the resumes", async () => {
    await lab().given("t", "suspended");
    await lab().resolve("t-awaited");

    const { task } = await lab().ok("task.create", claimedCreate("t"));

    expect(task).toMatchObject({ state: "acquired", version: 2, resumes: 0 });
  });

  test("a fulfilled task is 200 and not claimed", async () => {
    await lab().given("t", "fulfilled");

    const { status, data } = await lab().ask("task.create", claimedCreate("t"));

    expect([status, data.task, data.promise.state, data.preload]).toEqual([
      200,
      { id: "t", state: "fulfilled", version: 0, resumes: 0 },
      "resolved",
      [],
    ]);
  });

  test.each(["pending", "acquired", "suspended", "halted"] as const)(
    "a task that was %s and whose deadline is this millisecond is 200 and fulfilled (C4)",
    async (state) => {
      const { version } = await lab().given("t", state, { timeoutAt: NOW + 10 });
      lab().jump(10);

      const { status, data } = await lab().ask("task.create", claimedCreate("t"));

      expect([status, data.task]).toEqual([
        200,
        { id: "t", state: "fulfilled", version, resumes: 0 },
      ]);
    },
  );

  test.each(["acquired", "suspended", "halted"] as const)(
    "a task that is %s is 409",
    async (state) => {
      const before = await lab().given("t", state);

      expect(await lab().ask("task.create", claimedCreate("t"))).toEqual({
        status: 409,
        data: "Already exists",
      });
      expect(await lab().task("t")).toEqual(before);
    },
  );
});

onEveryStore("task.acquire", (lab) => {
  const acquire = (version: number, ttl = 500) =>
    lab().ask("task.acquire", { id: "t", version, pid: "w", ttl });

  test("an unknown task is 404", async () => {
    expect(await acquire(0)).toMatchObject({ status: 404 });
  });

  test("the version of the offer is sent, and the next one comes back", async () => {
    const promise = await lab().create("t", { tags: targeted });

    const answer = await acquire(0);

    const task = { id: "t", state: "acquired", version: 1, resumes: 0, ttl: 500, pid: "w" };
    expect(answer).toEqual({ status: 200, data: { task, promise, preload: [] } });
    expect(await lab().task("t")).toEqual(task);
  });

  test("a second claim with the same version is 409: it is not idempotent (C10)", async () => {
    await lab().create("t", { tags: targeted });
    await acquire(0);

    expect(await acquire(0)).toEqual({ status: 409, data: "Task is not pending" });
    expect(await acquire(1)).toEqual({ status: 409, data: "Task is not pending" });
  });

  test("two claims that arrive together have one winner", async () => {
    await lab().create("t", { tags: targeted });
    const data = { id: "t", version: 0, ttl: 500 };

    const answers = await lab().askAll([
      { kind: "task.acquire", data: { ...data, pid: "one" } },
      { kind: "task.acquire", data: { ...data, pid: "two" } },
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 409]);
    expect(await lab().task("t")).toMatchObject({ pid: "one", version: 1 });
  });

  test.each([1, 7])("version %d of a task at version 0 is 409", async (version) => {
    await lab().create("t", { tags: targeted });

    expect(await acquire(version)).toEqual({ status: 409, data: "Version mismatch" });
  });

  test.each(["acquired", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s is 409",
    async (state) => {
      const { version } = await lab().given("t", state);

      expect(await acquire(version)).toEqual({ status: 409, data: "Task is not pending" });
    },
  );

  test("at the deadline it is 409, one millisecond before it is 200", async () => {
    await lab().given("t", "pending", { timeoutAt: NOW + 10 });
    await lab().given("u", "pending", { timeoutAt: NOW + 9 });
    lab().jump(9);

    const at = await lab().ask("task.acquire", { id: "u", version: 0, pid: "w", ttl: 1 });

    expect([at.status, (await acquire(0)).status]).toEqual([409, 200]);
  });

  test("claiming ends the offers: nothing is sent at the retry time-out", async () => {
    const worker = lab().connect("g", "w");
    await lab().create("t", { tags: targeted });
    worker.take();

    await acquire(0, 2 * RETRY_MS);
    await lab().advance(2 * RETRY_MS - 1);

    expect(worker.take()).toEqual([]);
  });

  test("the longest lease that can be asked for can be stored and read again", async () => {
    await lab().create("t", { tags: targeted });

    const { status } = await acquire(0, Number.MAX_SAFE_INTEGER);

    expect(status).toBe(200);
    expect(await lab().task("t")).toMatchObject({ ttl: Number.MAX_SAFE_INTEGER });
    await lab().ok("task.heartbeat", { pid: "w", tasks: [{ id: "t", version: 1 }] });
    expect(await lab().task("t")).toMatchObject({ state: "acquired" });
    expect(await lab().ask("task.create", claimedCreate("u", { ttl: 2 ** 53 - 1 }))).toMatchObject({
      status: 200,
    });
    expect(await lab().task("u")).toMatchObject({ state: "acquired" });
  });
});
