import { expect, test } from "vitest";
import { global, NOW, onEveryStore, targeted, timer } from "../support/lab.ts";

const externals = [
  ["scope=global", global],
  ["external=true", { "resonate:external": "true" }],
  ["a target", targeted],
  ["timer=true", timer],
] as const;
const internals = [
  ["no tags", {}],
  ["scope=local", { "resonate:scope": "local" }],
  ["external=yes", { "resonate:external": "yes" }],
  ["timer=1", { "resonate:timer": "1" }],
] as const;

onEveryStore("promise.register_callback", (lab) => {
  test("an unknown awaited promise is 404, also when the awaiter is unknown", async () => {
    expect(
      await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" }),
    ).toMatchObject({ status: 404, data: "Promise 'a' not found" });
  });

  test("an unknown awaiter is 422", async () => {
    await lab().create("a", { tags: global });

    expect(
      await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" }),
    ).toMatchObject({ status: 422 });
  });

  test("an awaiter without a target is 422", async () => {
    await lab().create("a", { tags: global });
    await lab().create("t", { tags: global });

    expect(
      await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" }),
    ).toMatchObject({ status: 422 });
  });

  test.each(internals)("an awaited promise with %s is 422 (C2)", async (_, tags) => {
    await lab().create("a", { tags });
    await lab().given("t", "pending");

    expect(
      await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" }),
    ).toMatchObject({ status: 422 });
  });

  test.each(externals)("an awaited promise with %s is taken", async (_, tags) => {
    const promise = await lab().create("a", { tags });
    await lab().given("t", "pending");

    const answer = await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" });

    expect(answer).toEqual({ status: 200, data: { promise } });
  });

  test("registering twice counts once", async () => {
    await lab().create("a", { tags: global });
    await lab().given("t", "pending");
    for (let twice = 0; twice < 2; twice++) {
      await lab().ok("promise.register_callback", { awaited: "a", awaiter: "t" });
    }

    await lab().resolve("a");

    expect(await lab().task("t")).toMatchObject({ resumes: 1 });
  });

  test("on a settled promise it is 200 and does nothing (D9, C11)", async () => {
    await lab().given("t", "suspended");
    await lab().create("a", { tags: global });
    const promise = await lab().resolve("a");

    const answer = await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" });

    expect(answer).toEqual({ status: 200, data: { promise } });
    expect(await lab().task("t")).toMatchObject({ state: "suspended", resumes: 0 });
  });

  test("on a promise whose deadline is this millisecond it does nothing", async () => {
    await lab().create("a", { tags: global, timeoutAt: NOW + 10 });
    await lab().given("t", "pending");
    lab().jump(10);

    const { data } = await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" });
    await lab().advance(1_000);

    expect(data.promise).toMatchObject({ state: "rejected_timedout" });
    expect(await lab().task("t")).toMatchObject({ state: "pending", resumes: 0 });
  });

  test("for an awaiter that has settled it is 200 and does nothing", async () => {
    await lab().create("a", { tags: global });
    await lab().given("t", "fulfilled");

    expect(
      await lab().ask("promise.register_callback", { awaited: "a", awaiter: "t" }),
    ).toMatchObject({ status: 200 });
    await lab().resolve("a");

    expect(await lab().task("t")).toEqual({ id: "t", state: "fulfilled", version: 0, resumes: 0 });
  });
});

onEveryStore("promise.register_listener", (lab) => {
  const listen = (awaited: string) =>
    lab().ask("promise.register_listener", { awaited, address: "poll://uni@g/l" });

  test("an unknown promise is 404", async () => {
    expect(await listen("a")).toMatchObject({ status: 404 });
  });

  test.each(internals)("a promise with %s is 422 (C3)", async (_, tags) => {
    await lab().create("a", { tags });

    expect(await listen("a")).toMatchObject({ status: 422 });
  });

  test.each(externals)("a promise with %s is taken", async (_, tags) => {
    const promise = await lab().create("a", { tags });

    expect(await listen("a")).toEqual({ status: 200, data: { promise } });
  });

  test("the answer of a settled promise is the notice: nothing more is sent (C11)", async () => {
    const listener = lab().connect("g", "l");
    await lab().create("a", { tags: global });
    const promise = await lab().resolve("a");

    expect(await listen("a")).toEqual({ status: 200, data: { promise } });
    await lab().advance(60_000);

    expect(listener.take()).toEqual([]);
  });

  test("at the deadline the answer is the verdict, and nothing more is sent", async () => {
    const listener = lab().connect("g", "l");
    await lab().create("a", { tags: global, timeoutAt: NOW + 10 });
    lab().jump(10);

    const { data } = await listen("a");
    await lab().advance(60_000);

    expect(data.promise).toMatchObject({ state: "rejected_timedout", settledAt: NOW + 10 });
    expect(listener.take()).toEqual([]);
  });
});

onEveryStore("the deadline of a promise (C1)", (lab) => {
  const timeOuts = async () => {
    const { steps } = await lab().store.due(NOW + 10, 10);
    return steps.filter(({ kind }) => kind === "promise.timeout").map(({ data }) => data);
  };

  test.each(externals)("with %s is acted on, without anyone looking", async (_, tags) => {
    await lab().create("a", { tags, timeoutAt: NOW + 10 });
    expect(await timeOuts()).toEqual([{ id: "a" }]);

    await lab().advance(10);

    expect(await timeOuts()).toEqual([]);
  });

  test.each(internals)("with %s is only seen when someone looks", async (_, tags) => {
    await lab().create("a", { tags, timeoutAt: NOW + 10 });

    expect(await timeOuts()).toEqual([]);
  });
});
