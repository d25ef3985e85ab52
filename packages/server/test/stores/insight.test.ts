/** What stores show to those who look on. */
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Change } from "../../src/core/records.ts";
import { type Outline, PARAM_BYTES_MAX } from "../../src/stores/insight.ts";
import { INSIGHT } from "../../src/stores/sqlite/insight.ts";
import { migrate } from "../../src/stores/sqlite/schema.ts";
import type { Store } from "../../src/stores/store.ts";
import { promise, task, withEveryStore } from "../support/every-store.ts";

const ORIGIN = "resonate:origin";
const CALLER = "resonate:caller";

function put(id: string, over: Parameters<typeof promise>[1] = {}): Change {
  return { put: "promise", record: promise(id, over) };
}
function putTask(id: string, over: Parameters<typeof task>[1] = {}): Change {
  return { put: "task", record: task(id, over) };
}
function waits(awaiter: string, awaited: string): Change {
  return { put: "callback", record: { awaiter, awaited } };
}

async function write(store: Store, changes: readonly Change[]): Promise<void> {
  const ids = changes.flatMap((change) =>
    "put" in change && (change.put === "promise" || change.put === "task")
      ? [change.record.id]
      : "delete" in change && change.delete === "promise"
        ? [change.id]
        : [],
  );
  await store.transaction(async (tx) => {
    await tx.load({ promises: ids });
    await tx.write(changes);
  }, 10);
}

const idsOf = (outlines: readonly Outline[]) => outlines.map(({ id }) => id);
const own = (id: string) => ({ tags: { [ORIGIN]: id } });
const of = (origin: string) => ({ tags: { [ORIGIN]: origin } });

withEveryStore("what is shown of a store", (store) => {
  test("a promise is shown without its payloads, and with their sizes", async () => {
    const param = { headers: { h: "é" }, data: "eyJ9" };
    await write(store(), [
      put("a", {
        state: "resolved",
        settledAt: 7,
        param,
        value: { data: "x".repeat(100) },
        tags: { k: "v" },
      }),
      putTask("a", { state: "halted", version: 3, failures: 2, cause: "why" }),
    ]);

    const [outline] = await store().insight.outlines(["a", "absent", "a"]);

    expect(outline).toEqual({
      place: expect.any(Number),
      id: "a",
      state: "resolved",
      timeoutAt: 9_000,
      createdAt: 1,
      settledAt: 7,
      tags: { k: "v" },
      paramHead: JSON.stringify(param),
      paramBytes: Buffer.byteLength(JSON.stringify(param)),
      valueBytes: 111,
      task: { id: "a", state: "halted", version: 3, resumes: 0, failures: 2, cause: "why" },
    });
    expect(await store().insight.outlines(["a", "a"])).toHaveLength(1);
    expect(await store().insight.outlines([])).toEqual([]);
  });

  test("the beginning of parameters is shown, and nothing of very long ones", async () => {
    const wrapping = '{"data":""}'.length;
    await write(store(), [
      put("long", { param: { data: "y".repeat(PARAM_BYTES_MAX - wrapping) } }),
      put("too long", { param: { data: "y".repeat(PARAM_BYTES_MAX - wrapping + 1) } }),
    ]);

    const [long] = await store().insight.outlines(["long"]);
    const [tooLong] = await store().insight.outlines(["too long"]);

    expect(long?.paramHead).toBe(`{"data":"${"y".repeat(2_048 - 9)}`);
    expect(tooLong).toMatchObject({ paramBytes: PARAM_BYTES_MAX + 1 });
    expect(tooLong?.paramHead).toBeUndefined();
  });

  test("runs are roots that nobody called, the newest first, page by page", async () => {
    await write(store(), [put("b", own("b")), put("b:0", of("b"))]);
    await write(store(), [put("c", { tags: { [ORIGIN]: "c", [CALLER]: "b" } }), put("a")]);
    const { insight } = store();

    const [first] = await insight.runs({ limit: 1 });
    const rest = await insight.runs({ limit: 10, before: first?.place });

    expect(first?.id).toBe("a");
    expect(idsOf(rest)).toEqual(["b"]);
    expect(await insight.runs({ limit: 10, before: rest[0]?.place })).toEqual([]);
  });

  test("what has been forgotten is shown no more", async () => {
    await write(store(), [put("a"), putTask("a", { state: "halted" }), put("b"), putTask("b")]);
    await store().transaction(async (tx) => {
      await tx.load({ promises: ["a"] });
      await tx.write([{ delete: "promise", id: "a" }]);
    }, 10);
    const { insight } = store();

    expect(idsOf(await insight.runs({ limit: 10 }))).toEqual(["b"]);
    expect(await insight.halted({ limit: 10 })).toEqual([]);
    expect(await insight.whole("a")).toBeUndefined();
  });

  test("what a transaction wrote that failed is not shown", async () => {
    const failed = store().transaction(async (tx) => {
      await tx.load({ promises: ["a"] });
      await tx.write([put("a"), putTask("a", { state: "halted" })]);
      throw new Error("no");
    }, 10);
    const seen = store().insight.runs({ limit: 10 });

    await expect(failed).rejects.toThrow("no");
    expect(await seen).toEqual([]);
    expect(await store().insight.halted({ limit: 10 })).toEqual([]);
    expect((await store().insight.open(10)).halted.count).toBe(0);
  });

  test("halted tasks are found, the newest first, and no longer when they go on", async () => {
    for (const id of ["a", "b", "c"]) {
      await write(store(), [put(id), putTask(id, { state: "halted" })]);
    }
    await write(store(), [putTask("b", { dueAt: 5 })]);
    const { insight } = store();

    const [first] = await insight.halted({ limit: 1 });

    expect(first?.id).toBe("c");
    expect(idsOf(await insight.halted({ limit: 9, before: first?.place }))).toEqual(["a"]);
  });

  test("ids that start alike follow each other", async () => {
    const ids = ["a", "a\u{ffff}", "a\u{1f600}", "ab", "b", "\u{10ffff}", "\u{10ffff}x"];
    await write(
      store(),
      ids.map((id) => put(id)),
    );
    const { insight } = store();
    const named = async (prefix: string, after = "", limit = 9) =>
      idsOf(await insight.named(prefix, { after, limit }));

    expect(await named("a")).toEqual(["a", "ab", "a\u{ffff}", "a\u{1f600}"]);
    expect(await named("a", "ab")).toEqual(["a\u{ffff}", "a\u{1f600}"]);
    expect(await named("a", "", 2)).toEqual(["a", "ab"]);
    expect(await named("\u{10ffff}")).toEqual(["\u{10ffff}", "\u{10ffff}x"]);
    expect(await named("c")).toEqual([]);
    expect(await named("a", "b")).toEqual([]);
  });

  test("members of trees, and what was called, come in the order of creation", async () => {
    await write(store(), [put("a", own("a")), put("a:1", of("a"))]);
    await write(store(), [put("b", { tags: { [ORIGIN]: "b", [CALLER]: "a" } })]);
    await write(store(), [put("b:0", of("b")), put("a:0", of("a"))]);
    await write(store(), [put("c", { tags: { [ORIGIN]: "c", [CALLER]: "a:1" } })]);
    const { insight } = store();

    const found = async (asked: ReturnType<typeof insight.members>) =>
      (await asked).map(({ by, outline: { id } }) => [by, id]);
    const part = { after: 0, limit: 9 };

    expect(await found(insight.members(["b", "z", "a"], part))).toEqual([
      [0, "b:0"],
      [2, "a:1"],
      [2, "a:0"],
    ]);
    const [first] = await insight.members(["a", "b"], { after: 0, limit: 1 });
    const after = first?.outline.place ?? 0;
    expect(first?.outline.id).toBe("a:1");
    expect(await found(insight.members(["a", "b"], { after, limit: 9 }))).toEqual([
      [0, "a:0"],
      [1, "b:0"],
    ]);
    expect(await found(insight.called(["a:1", "a"], part))).toEqual([
      [0, "c"],
      [1, "b"],
    ]);
    expect(await insight.called(["b"], part)).toEqual([]);
  });

  test("who waits for whom is seen from both sides", async () => {
    await write(store(), [
      ...["a", "b", "c"].map((id) => put(id)),
      putTask("a", { state: "suspended" }),
      putTask("b", { state: "suspended" }),
      waits("a", "c"),
      waits("b", "c"),
      waits("a", "b"),
      { put: "listener", record: { awaited: "c", address: "x" } },
    ]);
    const { insight } = store();
    const awaits = async (ids: readonly string[], limit = 9) =>
      (await insight.awaits(ids, limit)).map(({ awaiter, awaited }) => `${awaiter}>${awaited}`);

    expect((await insight.awaiters("c", 9)).toSorted()).toEqual(["a", "b"]);
    expect(await insight.awaiters("c", 1)).toHaveLength(1);
    expect(await insight.listeners("c", 9)).toEqual(["x"]);
    expect((await awaits(["a", "b", "c"])).toSorted()).toEqual(["a>b", "a>c", "b>c"]);
    expect(await awaits(["a", "b"], 2)).toHaveLength(2);
    await store().transaction(async (tx) => {
      await tx.load({ promises: ["a", "b", "c"] });
      await tx.write([{ delete: "callback", record: { awaiter: "a", awaited: "c" } }]);
    }, 10);
    expect(await awaits(["a"])).toEqual(["a>b"]);
  });

  test("what is open is counted, up to a limit", async () => {
    await write(store(), [
      put("a", { dueAt: 9 }),
      put("b", { dueAt: 9 }),
      put("step"),
      put("done", { state: "resolved", settledAt: 1 }),
      put("being told", { state: "resolved", settledAt: 1, dueAt: 1 }),
      putTask("a", { dueAt: 3 }),
      putTask("b", { state: "acquired", pid: "p" }),
      putTask("step", { state: "suspended" }),
      putTask("done", { state: "halted" }),
      putTask("being told", { state: "fulfilled" }),
    ]);

    const one = { count: 1, more: false };
    expect(await store().insight.open(2)).toEqual({
      promises: { count: 2, more: false },
      pending: one,
      acquired: one,
      suspended: one,
      halted: one,
    });
    expect((await store().insight.open(1)).promises).toEqual({ count: 1, more: true });
  });

  test("what each process holds is counted", async () => {
    const held = (pid: string) => ({ state: "acquired", pid }) as const;
    await write(store(), [
      ...["a", "b", "c", "d"].map((id) => put(id)),
      putTask("a", held("p")),
      putTask("b", held("q")),
      putTask("c", held("p")),
      putTask("d"),
    ]);

    expect([...(await store().insight.held(9))].toSorted()).toEqual([
      ["p", 2],
      ["q", 1],
    ]);
  });

  test("all of a promise is given with its task", async () => {
    await write(store(), [put("a", { value: { data: "v" } }), put("b"), putTask("a")]);
    const { insight } = store();

    expect(await insight.whole("a")).toEqual({
      promise: promise("a", { value: { data: "v" } }),
      task: task("a"),
    });
    expect(await insight.whole("b")).toEqual({ promise: promise("b") });
    expect(await insight.whole("c")).toBeUndefined();
  });

  test("its size is known where it has one", async () => {
    const bytes = await store().insight.bytes();

    expect(bytes === undefined || bytes > 10_000).toBe(true);
  });
});

test.each(Object.entries(INSIGHT))("in SQLite, %s reads no table from end to end", (_, text) => {
  const db = new DatabaseSync(":memory:");
  migrate(db, ":memory:");

  const plan = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all();

  const details = plan.map(({ detail }) => String(detail));
  // A scan of an index that holds only what is wanted ends with it, or at the limit.
  const whole = details.filter((line) =>
    /^SCAN (p|t|one|two|promises|tasks|callbacks|listeners)\b/.test(line),
  );
  expect(
    whole.filter(
      (line) =>
        !/USING (COVERING )?INDEX (promises_runs|tasks_parked|tasks_held|promises_due|tasks_due)/.test(
          line,
        ),
    ),
  ).toEqual([]);
  expect(details.filter((line) => line.includes("TEMP B-TREE"))).toEqual([]);
  db.close();
});
