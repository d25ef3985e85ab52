import { expect, test } from "vitest";
import { global, NOW, onEveryStore, timer } from "../support/lab.ts";

const value = { headers: { kind: "text" }, data: "NDI=" };

onEveryStore("promise.settle", (lab) => {
  test("an unknown promise is 404", async () => {
    expect(await lab().ask("promise.settle", { id: "p", state: "resolved" })).toMatchObject({
      status: 404,
    });
  });

  test.each(["resolved", "rejected", "rejected_canceled"])(
    "%s is fixed with its value and instant",
    async (state) => {
      const before = await lab().create("p");
      lab().jump(3);

      const answer = await lab().ask("promise.settle", { id: "p", state, value });

      const promise = { ...before, state, value, settledAt: NOW + 3 };
      expect(answer).toEqual({ status: 200, data: { promise } });
      expect(await lab().promise("p")).toEqual(promise);
    },
  );

  test("the first settle wins, and the second reads it", async () => {
    await lab().create("p");
    const first = await lab().resolve("p");
    lab().jump(5);

    const second = await lab().ask("promise.settle", { id: "p", state: "rejected", value });

    expect(second).toEqual({ status: 200, data: { promise: first } });
  });

  test("one millisecond before the deadline the client's verdict counts", async () => {
    await lab().create("p", { timeoutAt: NOW + 10 });
    lab().jump(9);

    expect(await lab().resolve("p")).toMatchObject({ state: "resolved", settledAt: NOW + 9 });
  });

  test.each([
    ["rejected_timedout", global],
    ["rejected_timedout", {}],
    ["resolved", timer],
  ])("at the deadline the answer is 200 with the deadline's verdict %s", async (state, tags) => {
    await lab().create("p", { timeoutAt: NOW + 10, tags });
    lab().jump(10);

    const answer = await lab().ask("promise.settle", { id: "p", state: "rejected", value });

    expect(answer.status).toBe(200);
    expect(answer.data.promise).toMatchObject({ state, value: {}, settledAt: NOW + 10 });
  });
});

onEveryStore("settlement", (lab) => {
  test.each(["pending", "acquired", "suspended", "halted"] as const)(
    "fulfils the promise's own task, which was %s, and keeps its version",
    async (state) => {
      const { version } = await lab().given("t", state);

      await lab().resolve("t");

      expect(await lab().task("t")).toEqual({ id: "t", state: "fulfilled", version, resumes: 0 });
    },
  );

  test("wakes a suspended awaiter: pending, one resume, version as it was, offered", async () => {
    await lab().given("t", "suspended");
    const worker = lab().connect("g", "w");
    worker.take();

    await lab().resolve("t-awaited");

    expect(await lab().task("t")).toEqual({ id: "t", state: "pending", version: 1, resumes: 1 });
    expect(worker.take()).toEqual(["execute t 1"]);
  });

  test.each(["pending", "acquired", "halted"] as const)(
    "counts a resume for an awaiter that is %s, and offers nothing",
    async (state) => {
      await lab().create("a", { tags: global });
      const before = await lab().given("t", state);
      await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
      const worker = lab().connect("g", "w");
      worker.take();

      await lab().resolve("a");

      expect(await lab().task("t")).toEqual({ ...before, resumes: 1 });
      expect(worker.take()).toEqual([]);
    },
  );

  test("leaves a fulfilled awaiter alone", async () => {
    const { version } = await lab().given("t", "suspended");
    await lab().resolve("t");

    await lab().resolve("t-awaited");

    expect(await lab().task("t")).toEqual({ id: "t", state: "fulfilled", version, resumes: 0 });
  });

  test("leaves an awaiter alone whose own deadline is this millisecond (C6)", async () => {
    await lab().given("t", "suspended", { timeoutAt: NOW + 10 });
    const worker = lab().connect("g", "w");
    worker.take();
    lab().jump(10);

    await lab().resolve("t-awaited");
    await lab().advance(10);

    expect(await lab().task("t")).toEqual({ id: "t", state: "fulfilled", version: 1, resumes: 0 });
    expect(worker.take()).toEqual([]);
  });

  test("wakes an awaiter whose own deadline is one millisecond away", async () => {
    await lab().given("t", "suspended", { timeoutAt: NOW + 10 });
    lab().jump(9);

    await lab().resolve("t-awaited");

    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test("counts each awaited promise once, as a set (D11)", async () => {
    await lab().given("t", "acquired");
    for (const id of ["a", "b", "c"]) await lab().create(id, { tags: global });
    const actions = ["a", "b", "c"].map((awaited) => ({
      kind: "promise.register_callback",
      data: { awaited, awaiter: "t" },
    }));
    await lab().ok("task.suspend", { id: "t", version: 1, actions });

    await lab().resolve("a");
    await lab().resolve("a");
    await lab().resolve("b");

    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 2 });
  });

  test("sends the settled record to a listener, once", async () => {
    const listener = lab().connect("g", "l");
    await lab().create("p", { tags: global });
    for (let twice = 0; twice < 2; twice++) {
      await lab().ok("promise.register_listener", { awaited: "p", address: "poll://uni@g/l" });
    }

    const promise = await lab().resolve("p");
    await lab().advance(60_000);

    expect(listener.messages).toEqual([{ kind: "unblock", head: {}, data: { promise } }]);
  });

  test("by a deadline tells awaiters and listeners too, at the deadline", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW + 10 });
    await lab().given("t", "acquired");
    await lab().ok("promise.register_listener", { awaited: "a", address: "poll://uni@g/l" });
    await lab().ok("task.suspend", {
      id: "t",
      version: 1,
      actions: [{ kind: "promise.register_callback", data: { awaited: "a", awaiter: "t" } }],
    });
    const listener = lab().connect("g", "l");

    await lab().advance(9);
    expect(listener.take()).toEqual([]);
    await lab().advance(1);

    expect(listener.take().sort()).toEqual(["execute t 1", "unblock a rejected_timedout"]);
    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test("does not wake a task whose own promise dies in the same tick", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW + 10 });
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    await lab().ok("task.suspend", {
      id: "t",
      version: 1,
      actions: [{ kind: "promise.register_callback", data: { awaited: "a", awaiter: "t" } }],
    });
    const worker = lab().connect("g", "w");
    worker.take();

    await lab().advance(60_000);

    expect(await lab().task("t")).toMatchObject({ state: "fulfilled", resumes: 0 });
    expect(worker.take()).toEqual([]);
  });

  test("of two trees reaches across them: awaiting is not bound to an origin (D7)", async () => {
    await lab().create("other:0", { tags: { ...global, "resonate:origin": "other" } });
    await lab().given("tree", "acquired", { tags: { "resonate:origin": "tree" } });

    const answer = await lab().ask("task.suspend", {
      id: "tree",
      version: 1,
      actions: [
        { kind: "promise.register_callback", data: { awaited: "other:0", awaiter: "tree" } },
      ],
    });
    await lab().resolve("other:0");

    expect(answer).toEqual({ status: 200, data: {} });
    expect(await lab().task("tree")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test("tells those who came in the same commit, also after others had looked", async () => {
    const listener = lab().connect("g", "l");
    await lab().create("a", { tags: global });
    await lab().given("t", "halted");
    listener.take();
    const settle = { kind: "promise.settle", data: { id: "a", state: "resolved" } };

    const answers = await lab().askAll([
      // Looks at who awaits `a`, and is refused.
      { kind: "task.fence", data: { id: "t", version: 7, action: settle } },
      { kind: "promise.register_callback", data: { awaited: "a", awaiter: "t" } },
      {
        kind: "promise.register_listener",
        data: { awaited: "a", address: "poll://uni@g/l" },
      },
      settle,
      { kind: "task.get", data: { id: "t" } },
    ]);

    expect(answers.map(({ status }) => status)).toEqual([409, 200, 200, 200, 200]);
    expect(answers[4]?.data.task).toMatchObject({ state: "halted", resumes: 1 });
    expect(listener.take()).toEqual(["unblock a resolved"]);
  });

  test("tells any number of awaiters and listeners, and loses none", async () => {
    const awaiters = Array.from({ length: 2_500 }, (_, at) => `t${at}`);
    await lab().create("a", { tags: global });
    const call = (kind: string, of: (id: string) => unknown) =>
      lab().askAll(awaiters.map((id) => ({ kind, data: of(id) })));
    await call("promise.create", (id) => ({
      id,
      timeoutAt: NOW + 600_000,
      tags: { "resonate:target": "poll://any@nobody" },
    }));
    await call("promise.register_callback", (awaiter) => ({ awaited: "a", awaiter }));
    await call("promise.register_listener", (id) => ({
      awaited: "a",
      address: `poll://uni@${id}/l`,
    }));
    const last = lab().connect("t2499", "l");

    await lab().resolve("a");
    await lab().settle();

    const tasks = await call("task.get", (id) => ({ id }));
    expect(tasks.filter(({ data }) => data.task.resumes === 1)).toHaveLength(2_500);
    expect(last.take()).toEqual(["unblock a resolved"]);
  });
});
