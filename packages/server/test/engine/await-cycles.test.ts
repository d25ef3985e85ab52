/** Tasks that wait for each other, and for nothing else, are told so. */

import { describe, expect, test } from "vitest";
import type { Deadlock, Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import { global, Lab, NOW, onEveryStore, RETRY_MS, suspend } from "../support/lab.ts";

/** More requests than a walk through any of these tests takes transactions. */
const TURNS = 60;

/** Until a promise has settled, or nobody is going to settle it. */
async function stateOf(lab: Lab, id: string): Promise<string> {
  for (let turn = 0; turn < TURNS; turn++) {
    const { state } = await lab.promise(id);
    if (state !== "pending") return state;
  }
  await lab.settle();
  return (await lab.promise(id)).state;
}

/** Claimed tasks, each a millisecond younger than the one before. */
async function claimed(lab: Lab, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    await lab.given(id, "acquired");
    lab.jump(1);
  }
}

const awaits = (lab: Lab, id: string, ...awaited: string[]) =>
  lab.ok("task.suspend", suspend(id, 1, ...awaited));

function errorOf({ data = "" }: { readonly data?: string }) {
  return JSON.parse(Buffer.from(data, "base64").toString());
}

onEveryStore("await cycles", (lab) => {
  test("of two tasks that await each other the younger is rejected, and the other goes on", async () => {
    await claimed(lab(), "older", "younger");

    await awaits(lab(), "younger", "older");
    await awaits(lab(), "older", "younger");

    expect(await stateOf(lab(), "younger")).toBe("rejected");
    const { value } = await lab().promise("younger");
    expect(value.headers).toEqual({ "resonate:error": "AWAIT_CYCLE" });
    expect(errorOf(value)).toEqual({
      __type: "error",
      name: "AwaitCycleError",
      code: "AWAIT_CYCLE",
      promiseId: "younger",
      cycle: ["younger", "older"],
      message:
        "Promise 'younger' was rejected because it would have waited for ever: it awaits 'older', which awaits 'younger'. Let one of them not await the next.",
    });
    expect(await lab().task("older")).toMatchObject({ state: "pending", version: 1, resumes: 1 });
    expect(await lab().task("younger")).toMatchObject({ state: "fulfilled" });
  });

  test("the cycle is named in its order, whoever closes it", async () => {
    await claimed(lab(), "a", "b", "c:0", "d.é");

    await awaits(lab(), "b", "c:0");
    await awaits(lab(), "d.é", "a");
    await awaits(lab(), "a", "b");
    await awaits(lab(), "c:0", "d.é");

    expect(await stateOf(lab(), "d.é")).toBe("rejected");
    expect(errorOf((await lab().promise("d.é")).value).cycle).toEqual(["d.é", "a", "b", "c:0"]);
    expect(await lab().task("c:0")).toMatchObject({ state: "pending" });
    expect(await lab().task("a")).toMatchObject({ state: "suspended" });
  });

  test("whoever awaits anything else is left alone, and told once that is over", async () => {
    await lab().create("human", { tags: global });
    await claimed(lab(), "a", "b");

    await awaits(lab(), "a", "b", "human");
    await awaits(lab(), "b", "a");

    expect(await stateOf(lab(), "b")).toBe("pending");
    await lab().resolve("human");
    await lab().ok("task.acquire", { id: "a", version: 1, pid: "p1", ttl: 10_000 });
    await lab().ok("task.suspend", suspend("a", 2, "b"));
    expect(await stateOf(lab(), "b")).toBe("rejected");
  });

  test("what was awaited before, and not since, keeps a task from being stuck", async () => {
    await lab().create("human", { tags: global });
    await lab().create("first", { tags: global });
    await claimed(lab(), "a", "b");
    await awaits(lab(), "a", "first", "human");
    await lab().resolve("first");
    await lab().ok("task.acquire", { id: "a", version: 1, pid: "p1", ttl: 10_000 });

    await awaits(lab(), "b", "a");
    await lab().ok("task.suspend", suspend("a", 2, "b"));

    expect(await stateOf(lab(), "b")).toBe("pending");
  });

  test("all that wait for each other are seen, also where one awaits several", async () => {
    await claimed(lab(), "a", "b", "c");

    await awaits(lab(), "b", "a");
    await awaits(lab(), "c", "b", "a");
    await awaits(lab(), "a", "b", "c");

    expect(await stateOf(lab(), "b")).toBe("rejected");
    expect(await lab().task("a")).toMatchObject({ state: "pending" });
    // It awaited what was rejected too, so it goes on by itself.
    expect(await lab().promise("c")).toMatchObject({ state: "pending" });
  });

  test("who waits for a deadlock is no part of it, and a halted task can still go on", async () => {
    await claimed(lab(), "a", "b");
    await lab().given("halted", "halted");

    await awaits(lab(), "b", "a");
    await awaits(lab(), "a", "b", "halted");

    expect(await stateOf(lab(), "b")).toBe("pending");
    await lab().ok("task.continue", { id: "halted" });
    await lab().ok("task.acquire", { id: "halted", version: 0, pid: "p1", ttl: 10_000 });
    await lab().ok("task.suspend", suspend("halted", 1, "a"));
    expect(await stateOf(lab(), "b")).toBe("rejected");
    expect(await lab().promise("halted")).toMatchObject({ state: "pending" });
  });

  describe("a deadlock that is over when it is to be ended is left alone", () => {
    const deadlock: Deadlock = { members: ["a", "b"], cycle: ["b", "a"] };
    const step: Step = { kind: "cycle.break", data: deadlock };
    const end = () => execute(lab().store, [step], lab().now, { retryTimeoutMs: RETRY_MS });

    test("because one of its tasks goes on", async () => {
      await claimed(lab(), "a", "b");
      await awaits(lab(), "b", "a");

      expect((await end()).changes).toEqual([]);
    });

    test("because one of its tasks awaits something else too", async () => {
      await lab().create("human", { tags: global });
      await claimed(lab(), "a", "b");
      await awaits(lab(), "b", "a");
      await awaits(lab(), "a", "b", "human");

      expect((await end()).changes).toEqual([]);
    });

    test("because one of them has settled", async () => {
      await claimed(lab(), "a", "b");
      await awaits(lab(), "b", "a");
      await lab().resolve("a");

      expect((await end()).changes).toEqual([]);
    });
  });

  test("a deadline that comes first has its own verdict", async () => {
    await lab().given("a", "acquired", { timeoutAt: NOW + 5 });
    await lab().given("b", "acquired");
    await awaits(lab(), "b", "a");
    lab().jump(5);

    expect(await lab().ask("task.suspend", suspend("a", 1, "b"))).toMatchObject({ status: 409 });

    expect(await lab().promise("a")).toMatchObject({ state: "rejected_timedout" });
    expect(await lab().promise("b")).toMatchObject({ state: "pending" });
  });
});

test.each([
  [1_000, "rejected"],
  [1_001, "pending"],
])("a deadlock of %i tasks ends as %s", async (size, state) => {
  const lab = await Lab.open();
  const ids = Array.from({ length: size }, (_, at) => `t${at}`);
  for (const id of ids) await lab.given(id, "acquired");
  for (const [at, id] of ids.entries()) {
    await awaits(lab, id, ids[(at + 1) % size] ?? "");
  }

  // Each look takes its turn among requests.
  for (let turn = 0; turn < size; turn++) await lab.promise("t0");

  const last = ids.toSorted().at(-1) ?? "";
  expect((await lab.promise(last)).state).toBe(state);
  if (state === "rejected") {
    const { cycle, message } = errorOf((await lab.promise(last)).value);
    expect(cycle).toHaveLength(16);
    expect(message).toContain("and so on over 984 more, back to 't999'");
  }
  await lab.close();
});
