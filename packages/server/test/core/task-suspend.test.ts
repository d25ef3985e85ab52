import { expect, test } from "vitest";
import { global, NOW, onEveryStore, suspend, targeted } from "../support/lab.ts";

onEveryStore("task.suspend", (lab) => {
  const parked = { id: "t", state: "suspended", version: 1, resumes: 0 };

  test("an unknown task is 404", async () => {
    await lab().create("a", { tags: global });

    expect(await lab().ask("task.suspend", suspend("t", 1, "a"))).toMatchObject({ status: 404 });
  });

  test("parks the task: no holder, no lease, the version kept", async () => {
    await lab().create("a", { tags: global });
    await lab().given("t", "acquired");
    const worker = lab().connect("g", "w");

    const answer = await lab().ask("task.suspend", suspend("t", 1, "a"));
    await lab().advance(100_000);

    expect(answer).toEqual({ status: 200, data: {} });
    expect(await lab().task("t")).toEqual(parked);
    expect(worker.take()).toEqual([]);
  });

  test("waits for any of the awaited promises", async () => {
    for (const id of ["a", "b"]) await lab().create(id, { tags: global });
    await lab().given("t", "acquired");
    await lab().ok("task.suspend", suspend("t", 1, "a", "b"));

    await lab().resolve("b");

    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 1 });
  });

  test("clears the resumes", async () => {
    for (const id of ["a", "b"]) await lab().create(id, { tags: global });
    await lab().given("t", "acquired");
    await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().resolve("a");
    expect(await lab().task("t")).toMatchObject({ resumes: 1 });

    await lab().ok("task.suspend", suspend("t", 1, "b"));

    expect(await lab().task("t")).toEqual(parked);
  });

  test("300 when one is settled: still acquired, resumes cleared, nobody registered", async () => {
    for (const id of ["a", "b"]) await lab().create(id, { tags: global });
    const before = await lab().given("t", "acquired");
    await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().resolve("a");

    const answer = await lab().ask("task.suspend", suspend("t", 1, "a", "b"));

    expect(answer.status).toBe(300);
    expect(await lab().task("t")).toEqual(before);
    await lab().resolve("b");
    expect(await lab().task("t")).toEqual(before);
  });

  test("300 does not touch the lease", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW });
    await lab().given("t", "acquired");
    await lab().advance(9_999);

    expect(await lab().ask("task.suspend", suspend("t", 1, "a"))).toMatchObject({ status: 300 });
    await lab().advance(1);

    expect(await lab().task("t")).toMatchObject({ state: "pending" });
  });

  test("300 when the deadline of one is this millisecond, 200 one millisecond before", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW + 10 });
    for (const id of ["t", "u"]) await lab().given(id, "acquired");

    lab().jump(9);
    expect(await lab().ask("task.suspend", suspend("u", 1, "a"))).toMatchObject({ status: 200 });
    lab().jump(1);

    expect(await lab().ask("task.suspend", suspend("t", 1, "a"))).toMatchObject({ status: 300 });
  });

  test.each([
    ["unknown", undefined],
    ["internal", {}],
  ])("an awaited promise that is %s is 422, and nobody is registered", async (_, tags) => {
    await lab().create("a", { tags: global });
    if (tags) await lab().create("b", { tags });
    const before = await lab().given("t", "acquired");

    expect(await lab().ask("task.suspend", suspend("t", 1, "a", "b"))).toMatchObject({
      status: 422,
    });
    await lab().resolve("a");

    expect(await lab().task("t")).toEqual(before);
  });

  test("422 also when another one is settled", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW });
    await lab().create("b");
    await lab().given("t", "acquired");

    expect(await lab().ask("task.suspend", suspend("t", 1, "a", "b"))).toMatchObject({
      status: 422,
    });
  });

  test.each(["pending", "suspended", "halted", "fulfilled"] as const)(
    "a task that is %s is 409",
    async (state) => {
      await lab().create("a", { tags: global });
      const before = await lab().given("t", state);

      expect(await lab().ask("task.suspend", suspend("t", before.version, "a"))).toMatchObject({
        status: 409,
      });
      expect(await lab().task("t")).toEqual(before);
    },
  );

  test("another version is 409, and so is a task past its deadline", async () => {
    await lab().create("a", { tags: global });
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });

    expect(await lab().ask("task.suspend", suspend("t", 2, "a"))).toMatchObject({ status: 409 });
    lab().jump(10);

    expect(await lab().ask("task.suspend", suspend("t", 1, "a"))).toMatchObject({ status: 409 });
  });
});

onEveryStore("preload", (lab) => {
  const branch = { "resonate:branch": "t" };
  const child = { ...branch, "resonate:scope": "local" };
  const ids = (data: { preload: { id: string }[] }) => data.preload.map(({ id }) => id);

  async function family() {
    await lab().create("t", { tags: { ...targeted, ...branch } });
    for (const id of ["t:1", "t:0", "t:0.5"]) await lab().create(id, { tags: child });
    await lab().create("t:2", { tags: { ...targeted, "resonate:branch": "t:2" } });
    await lab().resolve("t:1");
  }

  test("is the task's branch but its own promise, in any state, by id", async () => {
    await family();

    const { preload } = await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 });

    expect(preload).toEqual([
      await lab().promise("t:0"),
      await lab().promise("t:0.5"),
      await lab().promise("t:1"),
    ]);
  });

  test("is projected (C8)", async () => {
    await lab().create("t", { tags: { ...targeted, ...branch } });
    await lab().create("t:0", { tags: child, timeoutAt: NOW + 10 });
    lab().jump(10);

    const { preload } = await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 });

    expect(preload).toMatchObject([{ state: "rejected_timedout", settledAt: NOW + 10 }]);
  });

  test("is empty without a branch", async () => {
    await lab().create("t", { tags: targeted });
    await lab().create("t:0", { tags: child });

    const data = await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 });

    expect(data.preload).toEqual([]);
  });

  test("comes with a fence, its own effect included", async () => {
    await family();
    await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 });
    const data = { id: "t:9", timeoutAt: NOW + 10, tags: child };

    const fenced = await lab().ok("task.fence", {
      id: "t",
      version: 1,
      action: { kind: "promise.create", data },
    });

    expect(ids(fenced)).toEqual(["t:0", "t:0.5", "t:1", "t:9"]);
  });

  test("comes with a 300, and names what is settled", async () => {
    await family();
    await lab().create("a", { tags: global });
    await lab().resolve("a");
    await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 });

    const { status, data } = await lab().ask("task.suspend", suspend("t", 1, "t:2", "a"));

    expect([status, ids(data)]).toEqual([300, ["a", "t:0", "t:0.5", "t:1"]]);
  });

  test("none: nothing, except what makes a 300", async () => {
    await family();
    await lab().create("a", { tags: global });
    await lab().resolve("a");
    const none = { "resonate:preload": "none" };

    const claimed = await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 1 }, none);
    const { data } = await lab().ask("task.suspend", suspend("t", 1, "a"), none);

    expect([ids(claimed), ids(data)]).toEqual([[], ["a"]]);
  });

  test("delta: what has settled since the last claim, and nothing twice", async () => {
    await family();
    const delta = { "resonate:preload": "delta" };
    for (const id of ["a", "b"]) await lab().create(id, { tags: global });
    const claim = (version: number) =>
      lab().ok("task.acquire", { id: "t", version, pid: "w", ttl: 100_000 }, delta);
    expect(ids(await claim(0))).toEqual([]);
    await lab().ok("task.suspend", suspend("t", 1, "a", "b"));
    await lab().resolve("b");
    await lab().resolve("a");

    expect(ids(await claim(1))).toEqual(["a", "b"]);
    const again = await lab().ask("task.suspend", suspend("t", 2, "a"), delta);

    expect([again.status, ids(again.data)]).toEqual([300, ["a"]]);
  });

  test("delta of a 300: what resumed the task meanwhile is shown once, then forgotten", async () => {
    await family();
    const delta = { "resonate:preload": "delta" };
    await lab().create("a", { tags: global });
    await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 100_000 });
    await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().resolve("a");

    const { data } = await lab().ask("task.suspend", suspend("t", 1, "a"), delta);
    await lab().ok("task.release", { id: "t", version: 1 });
    const claimed = await lab().ok(
      "task.acquire",
      { id: "t", version: 1, pid: "w", ttl: 1 },
      delta,
    );

    expect([ids(data), ids(claimed)]).toEqual([["a"], []]);
  });

  test("delta: a suspend goes on when something settled that has not been shown, named or not", async () => {
    await family();
    const delta = { "resonate:preload": "delta" };
    for (const id of ["a", "b"]) await lab().create(id, { tags: global });
    await lab().ok("task.acquire", { id: "t", version: 0, pid: "w", ttl: 100_000 });
    await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().resolve("a");

    const first = await lab().ask("task.suspend", suspend("t", 1, "b"), delta);
    const second = await lab().ask("task.suspend", suspend("t", 1, "b"), delta);

    expect([first.status, ids(first.data), second.status]).toEqual([300, ["a"], 200]);
  });
});
