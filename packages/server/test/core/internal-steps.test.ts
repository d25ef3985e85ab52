import { expect, test } from "vitest";
import { NOTICE_RETRY_MS_FIRST } from "../../src/core/promise/notify.ts";
import type { Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import { global, NOW, onEveryStore, RETRY_MS, targeted } from "../support/lab.ts";

/** The server's own steps may come early, late or twice: each looks whether it is still due. */
onEveryStore("a step of the server's own", (lab) => {
  const take = (...steps: Step[]) =>
    execute(lab().store, steps, lab().now, { retryTimeoutMs: RETRY_MS });
  const nothing = { changes: [], messages: [] };

  test("that ends a lease does nothing before its end, or to another claim", async () => {
    await lab().given("t", "acquired");
    const expire = (version: number, lost: boolean): Step => ({
      kind: "task.expire",
      data: { id: "t", version, lost },
    });
    lab().jump(9_999);
    expect(await take(expire(1, false))).toMatchObject(nothing);
    expect(await take(expire(0, true))).toMatchObject(nothing);
    lab().jump(1);

    expect((await take(expire(1, false))).messages).toHaveLength(1);
    expect(await take(expire(1, false))).toMatchObject(nothing);
  });

  test("that ends the lease of a lost process does so at any time", async () => {
    await lab().given("t", "acquired");

    const { messages } = await take({
      kind: "task.expire",
      data: { id: "t", version: 1, lost: true },
    });

    expect(messages).toHaveLength(1);
  });

  test("that ends the lease of a process lost to one group leaves the tasks of others", async () => {
    await lab().given("t", "acquired");
    const expire = (group: string): Step => ({
      kind: "task.expire",
      data: { id: "t", version: 1, lost: true, group },
    });

    expect(await take(expire("another"))).toMatchObject(nothing);
    expect((await take(expire("g"))).messages).toHaveLength(1);
  });

  test("that offers a task does nothing before it is due, or at another version", async () => {
    await lab().given("t", "pending");
    const offer = (version: number): Step => ({ kind: "task.offer", data: { id: "t", version } });
    lab().jump(RETRY_MS - 1);
    expect(await take(offer(0))).toMatchObject(nothing);
    lab().jump(1);

    expect(await take(offer(1))).toMatchObject(nothing);
    expect((await take(offer(0))).messages).toHaveLength(1);
    expect(await take(offer(0))).toMatchObject(nothing);
  });

  test("that times a promise out does nothing before the deadline, or twice", async () => {
    await lab().create("p", { tags: global, timeoutAt: NOW + 10 });
    const timeout: Step = { kind: "promise.timeout", data: { id: "p" } };
    lab().jump(9);
    expect(await take(timeout)).toMatchObject(nothing);
    lab().jump(1);

    expect((await take(timeout)).changes).toHaveLength(1);
    expect(await take(timeout)).toMatchObject(nothing);
  });

  test("that resumes an awaiter does nothing where none is registered, or twice", async () => {
    await lab().given("t", "suspended");
    await lab().given("u", "suspended");
    const resume = (awaited: string, awaiter: string): Step => ({
      kind: "task.resume",
      data: { awaited, awaiter },
    });

    expect(await take(resume("u-awaited", "t"))).toMatchObject(nothing);
    await lab().resolve("t-awaited");

    expect(await take(resume("t-awaited", "t"))).toMatchObject(nothing);
    expect(await lab().task("t")).toMatchObject({ resumes: 1 });
  });

  test("that notifies a listener does nothing while its promise is pending, or before it is due again", async () => {
    await lab().create("p", { tags: global });
    const key = { awaited: "p", address: "poll://uni@g/l" };
    await lab().ok("promise.register_listener", key);
    const notify: Step = { kind: "promise.notify", data: key };
    expect(await take(notify)).toMatchObject(nothing);
    await lab().resolve("p");
    lab().jump(NOTICE_RETRY_MS_FIRST - 1);
    expect(await take(notify)).toMatchObject(nothing);
    lab().jump(1);

    expect((await take(notify)).messages).toHaveLength(1);
    expect(await take(notify)).toMatchObject(nothing);
  });

  test("that notifies a listener waits as long again as the promise is settled, up to the retry time-out", async () => {
    await lab().create("p", { tags: global });
    const key = { awaited: "p", address: "poll://uni@g/l" };
    await lab().ok("promise.register_listener", key);
    await lab().resolve("p");
    const notify: Step = { kind: "promise.notify", data: key };
    const sentAfter: number[] = [];

    for (let ms = 0; ms < 4 * RETRY_MS; ms += NOTICE_RETRY_MS_FIRST) {
      if ((await take(notify)).messages.length > 0) sentAfter.push(ms);
      lab().jump(NOTICE_RETRY_MS_FIRST);
    }

    expect(sentAfter).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 62_000, 92_000]);
  });

  test("that notes a notice as delivered keeps the listener of a pending promise", async () => {
    const listener = lab().connect("g", "l");
    await lab().create("p", { tags: global });
    const key = { awaited: "p", address: "poll://uni@g/l" };
    await lab().ok("promise.register_listener", key);

    await take({ kind: "promise.notified", data: key });
    await lab().resolve("p");

    expect(listener.take()).toEqual(["unblock p resolved"]);
  });

  test("that announces a settlement does nothing when all have been told", async () => {
    await lab().create("p", { tags: global });
    const announce: Step = { kind: "promise.announce", data: { id: "p" } };
    expect(await take(announce)).toMatchObject(nothing);
    await lab().resolve("p");

    expect(await take(announce)).toMatchObject(nothing);
  });

  test("that fires a schedule does nothing early, at another occurrence, or twice", async () => {
    const { schedule } = await lab().ok("schedule.create", {
      id: "s",
      cron: "* * * * *",
      promiseId: "{{.timestamp}}",
      promiseTimeout: 1_000,
      promiseTags: targeted,
    });
    const at: number = schedule.nextRunAt;
    const fire = (occurrence: number): Step => ({
      kind: "schedule.fire",
      data: { id: "s", occurrence },
    });
    expect(await take(fire(at))).toMatchObject(nothing);
    lab().jump(at - NOW);

    expect(await take(fire(at + 60_000))).toMatchObject(nothing);
    expect((await take(fire(at), fire(at))).messages).toHaveLength(1);
    expect(await take(fire(at))).toMatchObject(nothing);
  });

  test.each([
    "promise.timeout",
    "promise.announce",
    "task.offer",
    "task.expire",
    "schedule.fire",
  ] as const)("%s of what does not exist does nothing", async (kind) => {
    const data = { id: "x", version: 0, lost: true, occurrence: 0 };

    expect(await take({ kind, data })).toMatchObject(nothing);
  });
});
