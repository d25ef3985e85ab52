import { expect, test } from "vitest";
import { global, NOW, onEveryStore, RETRY_MS, targeted, timer } from "../support/lab.ts";

onEveryStore("promise.create", (lab) => {
  test("a new promise is pending and carries exactly what was given", async () => {
    const param = { headers: { a: "b" }, data: "eA==" };

    const answer = await lab().ask("promise.create", {
      id: "p",
      timeoutAt: NOW + 1,
      param,
      tags: { any: "thing" },
    });

    expect(answer).toEqual({
      status: 200,
      data: {
        promise: {
          id: "p",
          state: "pending",
          param,
          value: {},
          tags: { any: "thing" },
          timeoutAt: NOW + 1,
          createdAt: NOW,
        },
      },
    });
  });

  test("param and tags are empty objects when they were not given", async () => {
    const { data } = await lab().ask("promise.create", { id: "p", timeoutAt: NOW + 1 });

    expect(data.promise).toMatchObject({ param: {}, value: {}, tags: {} });
  });

  test("the stored promise wins over everything in a second request", async () => {
    const first = await lab().create("p", { tags: global, param: { data: "1" } });
    lab().jump(5);

    const second = await lab().ask("promise.create", {
      id: "p",
      timeoutAt: NOW + 7,
      param: { data: "2" },
      tags: targeted,
    });

    expect(second).toEqual({ status: 200, data: { promise: first } });
    expect(await lab().ask("task.get", { id: "p" })).toMatchObject({ status: 404 });
  });

  test("a target makes a task, pending at version 0, and offers it", async () => {
    const worker = lab().connect("g", "w");

    await lab().create("p", { tags: targeted });

    expect(await lab().task("p")).toEqual({ id: "p", state: "pending", version: 0, resumes: 0 });
    expect(worker.take()).toEqual(["execute p 0"]);
  });

  test("without a target there is no task", async () => {
    await lab().create("p", { tags: global });

    expect(await lab().ask("task.get", { id: "p" })).toEqual({
      status: 404,
      data: "Task 'p' not found",
    });
  });

  test.each([
    ["one with a target", targeted, "rejected_timedout"],
    ["a timer", timer, "resolved"],
    ["a plain one", {}, "rejected_timedout"],
  ])("%s whose deadline is this millisecond is born settled at it", async (_, tags, state) => {
    const { data } = await lab().ask("promise.create", { id: "p", timeoutAt: NOW, tags });

    expect(data.promise).toEqual({
      id: "p",
      state,
      param: {},
      value: {},
      tags,
      timeoutAt: NOW,
      createdAt: NOW,
      settledAt: NOW,
    });
  });

  test("one that is born settled long after its deadline was created and settled at it", async () => {
    const promise = await lab().create("p", { timeoutAt: 0 });

    expect(promise).toMatchObject({ createdAt: 0, settledAt: 0, state: "rejected_timedout" });
  });

  test("the task of one that is born settled is fulfilled at version 0 and never offered", async () => {
    const worker = lab().connect("g", "w");

    await lab().create("p", { tags: targeted, timeoutAt: NOW });
    await lab().advance(2 * RETRY_MS);

    expect(await lab().task("p")).toEqual({ id: "p", state: "fulfilled", version: 0, resumes: 0 });
    expect(worker.take()).toEqual([]);
  });
});

onEveryStore("resonate:delay", (lab) => {
  test("a task is not offered before its delay, and is at it", async () => {
    const worker = lab().connect("g", "w");
    await lab().create("p", { tags: { ...targeted, "resonate:delay": String(NOW + 5_000) } });

    await lab().advance(4_999);
    expect(worker.take()).toEqual([]);
    await lab().advance(1);

    expect(worker.take()).toEqual(["execute p 0"]);
  });

  test("a delay that is this millisecond is none", async () => {
    const worker = lab().connect("g", "w");

    await lab().create("p", { tags: { ...targeted, "resonate:delay": String(NOW) } });

    expect(worker.take()).toEqual(["execute p 0"]);
  });

  test("a delayed task can be claimed before its delay", async () => {
    await lab().create("p", { tags: { ...targeted, "resonate:delay": String(NOW + 5_000) } });

    expect(
      await lab().ask("task.acquire", { id: "p", version: 0, pid: "w", ttl: 1 }),
    ).toMatchObject({ status: 200 });
  });
});

onEveryStore("a timer with a target (D3)", (lab) => {
  test("has a task that is never offered, and resolves at its deadline", async () => {
    const worker = lab().connect("g", "w");
    await lab().create("p", { tags: { ...targeted, ...timer }, timeoutAt: NOW + 2 * RETRY_MS });

    await lab().advance(2 * RETRY_MS - 1);
    expect(await lab().task("p")).toEqual({ id: "p", state: "pending", version: 0, resumes: 0 });
    await lab().advance(1);

    expect(await lab().promise("p")).toMatchObject({
      state: "resolved",
      settledAt: NOW + 2 * RETRY_MS,
      value: {},
    });
    expect(await lab().task("p")).toMatchObject({ state: "fulfilled", version: 0 });
    expect(worker.take()).toEqual([]);
  });

  test("is not offered after its task was claimed and the lease ran out", async () => {
    const worker = lab().connect("g", "w");
    await lab().create("p", { tags: { ...targeted, ...timer } });
    await lab().ok("task.acquire", { id: "p", version: 0, pid: "x", ttl: 10 });

    await lab().advance(10 + RETRY_MS);

    expect(await lab().task("p")).toMatchObject({ state: "pending", version: 1 });
    expect(worker.take()).toEqual([]);
  });
});
