import { expect, test } from "vitest";
import type { StoredTask } from "../../src/core/records.ts";
import type { Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import { claimedCreate, onEveryStore, RETRY_MS } from "../support/lab.ts";

onEveryStore("claims that end without a verdict", (lab) => {
  /** What is on record of the task after the steps, taken in one transaction. */
  async function after(...steps: readonly Step[]): Promise<StoredTask | undefined> {
    const { changes } = await execute(lab().store, steps, lab().now, { retryTimeoutMs: RETRY_MS });
    const tasks = changes.flatMap((change) =>
      "put" in change && change.put === "task" && change.record.id === "t" ? change.record : [],
    );
    return tasks.at(-1);
  }
  const head = (cause?: string) => ({
    corrId: "c",
    version: "2026-04-01",
    ...(cause !== undefined && { "resonate:cause": cause }),
  });
  const acquire = (version: number): Step => ({
    kind: "task.acquire",
    data: { id: "t", version, pid: "p", ttl: 10 },
  });
  const release = (version: number, cause?: string): Step => ({
    kind: "task.release",
    head: head(cause),
    data: { id: "t", version },
  });
  const expire = (version: number, over: object = {}): Step => ({
    kind: "task.expire",
    data: { id: "t", version, lost: true, ...over },
  });
  const failedTwice = [expire(1), acquire(1), release(2, "boom"), acquire(2)];

  test("are counted in the record that the next one is given, with the last cause", async () => {
    await lab().given("t", "acquired");

    expect(await after(...failedTwice)).toMatchObject({
      state: "acquired",
      version: 3,
      failures: 2,
      cause: "boom",
    });
  });

  test("are shown by acquire, create, get and search", async () => {
    await lab().given("t", "acquired");
    const { answers } = await execute(
      lab().store,
      [
        release(1, "boom"),
        acquire(1),
        { kind: "task.get", data: { id: "t" } },
        { kind: "task.search", data: { limit: 10 } },
        release(2),
        { kind: "task.create", data: createOf("t") },
      ],
      lab().now,
      { retryTimeoutMs: RETRY_MS },
    );

    const shown = { failures: 1, cause: "boom" };
    const [, acquired, got, found, , created] = answers;
    expect([acquired, got, created].map((answer) => answer?.data)).toMatchObject([
      { task: shown },
      { task: shown },
      { task: shown },
    ]);
    expect(found?.head.status).toBe(200);
  });

  test("are a lease that ran out and a holder that is lost, but no claim that was not taken up", async () => {
    await lab().ok("task.create", claimedCreate("t", { ttl: 10 }));
    lab().jump(10);

    expect(await after(expire(1, { lost: false }))).toMatchObject({ failures: 1 });
    expect(await after(acquire(1), expire(2, { untouched: true }))).not.toHaveProperty("cause");
    expect((await after(acquire(2), expire(3)))?.failures).toBeGreaterThanOrEqual(1);
  });

  test("because the process was lost, twice or more in a row, have it offered later each time", async () => {
    await lab().given("t", "acquired");
    const take = async (step: Step) => {
      const settings = { retryTimeoutMs: RETRY_MS };
      const { messages } = await execute(lab().store, [step], lab().now, settings);
      const [task] = (await lab().store.pending(10)).map((found) => found.task);
      return { offers: messages.length, waitMs: (task?.dueAt ?? Number.NaN) - lab().now };
    };

    const losses = [await take(expire(1))];
    for (const version of [1, 2, 3]) {
      await take(acquire(version));
      losses.push(await take(expire(version + 1)));
    }

    const [first, ...others] = losses;
    expect(first).toEqual({ offers: 1, waitMs: RETRY_MS });
    expect(others.map(({ offers }) => offers)).toEqual([0, 0, 0]);
    for (const [at, { waitMs }] of others.entries()) {
      expect(waitMs).toBeGreaterThanOrEqual(500 * 2 ** at);
      expect(waitMs).toBeLessThan(1_000 * 2 ** at);
    }
  });

  test("because the lease ran out, or that were not taken up, leave the offer where it is", async () => {
    await lab().given("t", "acquired");
    await after(...failedTwice, release(3));
    const settings = { retryTimeoutMs: RETRY_MS };
    const offersOf = async (...steps: readonly Step[]) =>
      (await execute(lab().store, steps, lab().now, settings)).messages.length;

    expect(await offersOf(acquire(3), expire(4, { untouched: true }))).toBe(1);
    await offersOf(acquire(4));
    lab().jump(10);
    expect(await offersOf(expire(5, { lost: false }))).toBe(1);
  });

  test("are no release without a cause", async () => {
    await lab().given("t", "acquired");

    expect(await after(release(1))).not.toHaveProperty("failures");
  });

  test("keep their cause when the next one has none", async () => {
    await lab().given("t", "acquired");

    expect(await after(release(1, "boom"), acquire(1), expire(2))).toMatchObject({
      failures: 2,
      cause: "boom",
    });
  });

  test("are kept by a halt, with its cause or the last one, and forgotten when it is continued", async () => {
    await lab().given("t", "acquired");
    const halt = (cause?: string): Step => ({
      kind: "task.halt",
      head: head(cause),
      data: { id: "t" },
    });

    expect(await after(...failedTwice, halt("enough"))).toMatchObject({
      state: "halted",
      failures: 2,
      cause: "enough",
    });
    const goOn: Step = { kind: "task.continue", data: { id: "t" } };
    const continued = await after(goOn);

    expect(continued?.state).toBe("pending");
    expect(continued).not.toHaveProperty("failures");
    expect(continued).not.toHaveProperty("cause");
  });

  test("are kept by a halt without a cause", async () => {
    await lab().given("t", "acquired");
    const halt: Step = { kind: "task.halt", data: { id: "t" } };

    expect(await after(...failedTwice, halt)).toMatchObject({ failures: 2, cause: "boom" });
  });

  test("are kept by what wakes a task, and by its heartbeats", async () => {
    await lab().given("t", "acquired");
    const beat: Step = {
      kind: "task.heartbeat",
      data: { pid: "p", tasks: [{ id: "t", version: 3 }] },
    };

    expect(await after(...failedTwice, beat)).toMatchObject({ failures: 2, cause: "boom" });
  });

  test("are forgotten when something is recorded under the claim, and kept when nothing is", async () => {
    await lab().given("t", "acquired");
    const fence: Step = {
      kind: "task.fence",
      data: {
        id: "t",
        version: 3,
        action: {
          kind: "promise.create",
          head: {},
          data: { id: "t:0", timeoutAt: 2 ** 50, tags: {}, param: {} },
        },
      },
    };

    const recorded = await after(...failedTwice, fence);
    expect(recorded).toMatchObject({ state: "acquired", version: 3 });
    expect(recorded).not.toHaveProperty("failures");

    const again: Step = { ...fence, data: { ...fence.data, version: 4 } };
    expect(await after(expire(3), acquire(3), again)).toMatchObject({ version: 4, failures: 1 });
  });

  test("are forgotten by a suspend", async () => {
    await lab().given("t", "acquired");
    await lab().create("w", { tags: { "resonate:scope": "global" } });
    const actions = [
      { kind: "promise.register_callback", data: { awaited: "w", awaiter: "t" } } as const,
    ];
    const parked = await after(...failedTwice, {
      kind: "task.suspend",
      data: { id: "t", version: 3, actions },
    });

    expect(parked?.state).toBe("suspended");
    expect(parked).not.toHaveProperty("failures");
    expect(parked).not.toHaveProperty("cause");
  });

  test("are forgotten with the promise", async () => {
    await lab().given("t", "acquired");
    const ended = await after(...failedTwice, {
      kind: "promise.settle",
      data: { id: "t", state: "resolved", value: {} },
    });

    expect(ended).toEqual({ id: "t", state: "fulfilled", version: 3, resumes: 0 });
  });
});

function createOf(id: string): Step<"task.create">["data"] {
  const { pid, ttl, action } = claimedCreate(id);
  return { pid, ttl, action: { kind: "promise.create", data: { param: {}, ...action.data } } };
}
