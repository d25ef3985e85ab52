import { expect, test } from "vitest";
import type { Change } from "../../src/core/records.ts";
import type { Store } from "../../src/stores/store.ts";
import { promise, task, withEveryStore } from "../support/every-store.ts";

const AT = 10;
const IDS = ["a", "a:0", "b", "c", "new"];
const NAMED = { promises: IDS, schedules: ["s", "t"] };

const first: readonly Change[] = [
  {
    put: "promise",
    record: promise("a", { dueAt: 50, param: { data: "p", headers: { h: "1" } } }),
  },
  { put: "promise", record: promise("a:0", { tags: { "resonate:branch": "a", k: "v" } }) },
  { put: "promise", record: promise("b", { dueAt: 20, tags: { "resonate:caller": "a" } }) },
  { put: "promise", record: promise("c") },
  { put: "task", record: task("a", { state: "acquired", pid: "p1", ttl: 5, dueAt: 30 }) },
  { put: "task", record: task("b", { dueAt: 5 }) },
  { put: "task", record: task("c", { state: "suspended" }) },
  { put: "callback", record: { awaited: "a", awaiter: "c" } },
  { put: "resume", record: { awaited: "b", awaiter: "a" } },
  { put: "listener", record: { awaited: "b", address: "x" } },
  { put: "listener", record: { awaited: "b", address: "y", notifyAt: 7 } },
  { put: "schedule", record: schedule("s", 60) },
];

const second: readonly Change[] = [
  { put: "promise", record: promise("new", { tags: { "resonate:branch": "a" }, dueAt: 3 }) },
  {
    put: "promise",
    record: promise("b", { state: "resolved", settledAt: 9, value: { data: "v" } }),
  },
  { put: "task", record: task("a", { failures: 2, cause: "why", dueAt: 4 }) },
  { put: "task", record: task("b", { state: "acquired", pid: "p2", dueAt: 8 }) },
  { put: "task", record: task("new") },
  { put: "callback", record: { awaited: "b", awaiter: "new" } },
  { delete: "callback", record: { awaited: "a", awaiter: "c" } },
  { put: "resume", record: { awaited: "a", awaiter: "c" } },
  { delete: "resumes", awaiter: "a" },
  { put: "listener", record: { awaited: "b", address: "x", notifyAt: 1 } },
  { delete: "listener", record: { awaited: "b", address: "y" } },
  { put: "schedule", record: schedule("s", 2) },
  { put: "schedule", record: schedule("t", 70) },
];

withEveryStore("a store", (store) => {
  test("gives back what was written", async () => {
    await written(store(), [...first, ...second]);

    expect(await everything(store())).toMatchObject({
      promises: [
        { id: "a", param: { data: "p", headers: { h: "1" } } },
        { id: "a:0" },
        { id: "b", state: "resolved", settledAt: 9, value: { data: "v" } },
        { id: "c" },
        { id: "new" },
      ],
      tasks: [
        { id: "a", state: "pending", failures: 2, cause: "why", dueAt: 4 },
        { id: "b", pid: "p2" },
        { id: "c" },
        { id: "new" },
      ],
      branch: ["a:0", "new"],
      resumed: [[], [], [], ["a"], []],
      called: ["b"],
      held: ["b"],
      heldByFirst: [],
      pending: ["a"],
      schedules: ["s", "t"],
      due: [
        { kind: "promise.timeout", data: { id: "new" } },
        { kind: "task.offer", data: { id: "a", version: 0 } },
        { kind: "task.expire", data: { id: "b", version: 0, lost: false } },
        { kind: "promise.notify", data: { awaited: "b", address: "x" } },
        { kind: "schedule.fire", data: { id: "s", occurrence: 2 } },
      ],
      nextAt: 50,
    });
  });

  test("is as it was after a transaction that threw, whatever that had done", async () => {
    await written(store(), first);
    const before = await everything(store());

    const thrown = store().transaction(async (tx) => {
      await tx.load(NAMED);
      await tx.write(second);
      throw new Error("not this time");
    }, AT);

    await expect(thrown).rejects.toThrow("not this time");
    expect(await everything(store())).toEqual(before);
  });

  test("goes on after a transaction that threw", async () => {
    await written(store(), first);
    await store()
      .transaction(async (tx) => {
        await tx.write([{ put: "promise", record: promise("lost") }]);
        throw new Error("not this time");
      }, AT)
      .catch(() => {});

    await written(store(), second);

    expect((await everything(store())).promises.map(({ id }) => id)).toEqual(IDS);
  });

  test("runs transactions one after the other", async () => {
    const order: string[] = [];
    const run = (name: string) =>
      store().transaction(async (tx) => {
        order.push(`${name} begins`);
        await tx.load({ promises: ["a"] });
        order.push(`${name} ends`);
      }, AT);

    await Promise.all([run("one"), run("two")]);

    expect(order).toEqual(["one begins", "one ends", "two begins", "two ends"]);
  });

  test("keeps what it was given from being changed by whoever gave or got it", async () => {
    const given = { headers: { h: "1" }, data: "d" };
    const tags = { k: "v" };
    await written(store(), [{ put: "promise", record: promise("a", { param: given, tags }) }]);
    given.headers.h = "2";
    tags.k = "w";
    const got = (await everything(store())).promises[0];
    try {
      Object.assign(got?.tags ?? {}, { k: "x" });
    } catch {
      // What cannot be changed is as good as a copy.
    }

    const [kept] = (await everything(store())).promises;

    expect([kept?.param.headers, kept?.tags]).toEqual([{ h: "1" }, { k: "v" }]);
  });
});

function schedule(id: string, nextRunAt: number) {
  const promiseId = "{{.id}}";
  const template = { promiseId, promiseTimeout: 1, promiseParam: {}, promiseTags: {} };
  return { id, cron: "* * * * *", ...template, createdAt: 1, nextRunAt };
}

function written(store: Store, changes: readonly Change[]): Promise<void> {
  return store.transaction(async (tx) => {
    await tx.load(NAMED);
    await tx.write(changes);
  }, AT);
}

/** All that a store shows. */
async function everything(store: Store) {
  const ids = (records: readonly { id: string }[]) => records.map(({ id }) => id);
  const { steps, nextAt } = await store.due(AT, 100);
  const seen = await store.transaction(async (tx) => {
    const loaded = await tx.load({ promises: IDS, obligations: IDS, schedules: ["s", "t"] });
    const resumed = [];
    for (const id of IDS) resumed.push(ids(await tx.resumed(id)));
    const page = { tags: {}, limit: 100 };
    const called = { kind: "promises", ...page, tags: { "resonate:caller": "a" } } as const;
    return {
      ...loaded,
      resumed,
      branch: ids(await tx.branch("a")),
      called: ids((await tx.search(called, AT)).records),
      found: ids((await tx.search({ kind: "promises", ...page }, AT)).records),
      tasksFound: ids((await tx.search({ kind: "tasks", limit: 100 }, AT)).records),
      schedules: ids((await tx.search({ kind: "schedules", ...page }, AT)).records),
    };
  }, AT);
  return {
    ...seen,
    due: steps,
    nextAt,
    held: ids(await store.heldBy(undefined, 100)),
    heldByFirst: ids(await store.heldBy("p1", 100)),
    pending: (await store.pending(100)).map(({ task: { id } }) => id),
  };
}
