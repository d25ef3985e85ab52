import { expect, test } from "vitest";
import { global, NOW, onEveryStore, timer } from "../support/lab.ts";

onEveryStore("promise.get", (lab) => {
  test("an id that was never created is 404, and its message names it", async () => {
    expect(await lab().ask("promise.get", { id: "p" })).toEqual({
      status: 404,
      data: "Promise 'p' not found",
    });
  });

  test.each([
    ["external", global, "rejected_timedout"],
    ["internal", {}, "rejected_timedout"],
    ["a timer", timer, "resolved"],
    ["nearly a timer", { "resonate:timer": "1" }, "rejected_timedout"],
  ])(
    "a promise that is %s is pending before its deadline and settled at it",
    async (_, tags, state) => {
      const before = await lab().create("p", { tags, timeoutAt: NOW + 10 });

      lab().jump(9);
      expect(await lab().promise("p")).toEqual(before);
      lab().jump(1);

      expect(await lab().promise("p")).toEqual({ ...before, state, settledAt: NOW + 10 });
    },
  );

  test("the instant of settling is the deadline however late one looks", async () => {
    await lab().create("p", { timeoutAt: NOW + 10 });
    await lab().create("q", { timeoutAt: NOW + 10, tags: global });

    await lab().advance(5_000);

    expect((await lab().promise("p")).settledAt).toBe(NOW + 10);
    expect((await lab().promise("q")).settledAt).toBe(NOW + 10);
  });
});

onEveryStore("task.get", (lab) => {
  test("a task whose promise is past its deadline is fulfilled, whatever is stored", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });

    lab().jump(9);
    expect(await lab().task("t")).toEqual({
      id: "t",
      state: "acquired",
      version: 1,
      resumes: 0,
      ttl: 10_000,
      pid: "p1",
    });
    lab().jump(1);

    expect(await lab().task("t")).toEqual({ id: "t", state: "fulfilled", version: 1, resumes: 0 });
  });

  test("ttl and pid are shown only while a task is acquired", async () => {
    for (const state of ["pending", "suspended", "halted", "fulfilled"] as const) {
      const version = state === "suspended" ? 1 : 0;
      expect(await lab().given(state, state)).toEqual({ id: state, state, version, resumes: 0 });
    }
  });

  test("a promise without a target has no task", async () => {
    await lab().create("p", { tags: global });

    expect(await lab().ask("task.get", { id: "p" })).toMatchObject({ status: 404 });
    expect(await lab().ask("task.get", { id: "q" })).toMatchObject({ status: 404 });
  });
});
