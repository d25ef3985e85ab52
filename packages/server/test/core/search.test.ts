import { expect, test } from "vitest";
import { global, NOW, onEveryStore, targeted } from "../support/lab.ts";

const ids = (records: { id: string }[]) => records.map(({ id }) => id);

onEveryStore("promise.search", (lab) => {
  const search = (data: object = {}) => lab().ok("promise.search", data);

  test("of nothing is an empty page without a cursor", async () => {
    expect(await search()).toEqual({ promises: [] });
  });

  test("gives whole records by id", async () => {
    for (const id of ["b", "a", "B", "a.1"]) await lab().create(id);

    const { promises } = await search();

    expect(ids(promises)).toEqual(["B", "a", "a.1", "b"]);
    expect(promises[1]).toEqual(await lab().promise("a"));
  });

  test("pages through everything once, and the last page has no cursor", async () => {
    for (const id of ["a", "b", "c", "d"]) await lab().create(id);

    const first = await search({ limit: 2 });
    const second = await search({ limit: 2, cursor: first.cursor });

    expect([ids(first.promises), ids(second.promises), second.cursor]).toEqual([
      ["a", "b"],
      ["c", "d"],
      undefined,
    ]);
  });

  test("goes on after an id with any characters in it", async () => {
    const strange = ["é%_'\"", "日本", "🦊", "a\nb"].sort();
    for (const id of strange) await lab().create(id);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search({ limit: 1, ...(cursor && { cursor }) });
      found.push(...ids(page.promises));
      cursor = page.cursor;
    } while (cursor);

    expect(found.sort()).toEqual(strange);
  });

  test.each(["origin", "branch", "parent", "caller"])("finds all of one %s", async (name) => {
    const tags = { [`resonate:${name}`]: "r" };
    for (const id of ["r", "r:0", "r:1"]) await lab().create(id, { tags });
    await lab().create("r:2");
    await lab().create("s", { tags: { "resonate:caller": "s" } });

    const { promises, cursor } = await search({ tags, limit: 2 });

    expect(ids(promises)).toEqual(["r", "r:0"]);
    expect(ids((await search({ tags, cursor })).promises)).toEqual(["r:1"]);
  });

  test("goes on after the longest id", async () => {
    const long = ["日", "語"].map((sign) => `${sign.repeat(341)}x`);
    for (const id of long) await lab().create(id);

    const { cursor } = await search({ limit: 1 });

    expect(ids((await search({ cursor })).promises)).toEqual(long.slice(1));
  });

  test("by the start of the id takes it as it is written, and goes on from page to page", async () => {
    for (const id of ["a", "a%", "a%b", "a%c", "a_", "ab", "b"]) await lab().create(id);

    const { promises, cursor } = await search({ idPrefix: "a%", limit: 2 });

    expect(ids(promises)).toEqual(["a%", "a%b"]);
    expect(ids((await search({ idPrefix: "a%", cursor })).promises)).toEqual(["a%c"]);
    expect(ids((await search({ idPrefix: "a_" })).promises)).toEqual(["a_"]);
    expect(ids((await search({ idPrefix: "c" })).promises)).toEqual([]);
  });

  test("by the start of the id and a tag finds what has both", async () => {
    const tags = { "resonate:origin": "r" };
    for (const id of ["r", "r:0", "r:1"]) await lab().create(id, { tags });

    expect(ids((await search({ tags, idPrefix: "r:" })).promises)).toEqual(["r:0", "r:1"]);
  });

  test.each(["", "x", "%%%", "b", "YQ=="])(
    "a cursor '%s' that it never gave is 400",
    async (cursor) => {
      expect(await lab().ask("promise.search", { cursor })).toMatchObject({ status: 400 });
    },
  );

  test("100 is the limit when none is given; 1 and 1,000 are allowed", async () => {
    await lab().askAll(
      Array.from({ length: 1_001 }, (_, at) => ({
        kind: "promise.create",
        data: { id: `p${at}`, timeoutAt: NOW + 1 },
      })),
    );

    const sizes = [];
    for (const data of [{}, { limit: 1 }, { limit: 1_000 }]) {
      sizes.push((await search(data)).promises.length);
    }

    expect(sizes).toEqual([100, 1, 1_000]);
  });

  test("filters by the state as of now, and shows it (C8)", async () => {
    await lab().create("a", { timeoutAt: NOW + 10, tags: global });
    await lab().create("b", { timeoutAt: NOW + 11 });
    await lab().create("c");
    await lab().resolve("c");
    lab().jump(10);

    expect(ids((await search({ state: "pending" })).promises)).toEqual(["b"]);
    expect((await search({ state: "rejected_timedout" })).promises).toMatchObject([
      { id: "a", state: "rejected_timedout", settledAt: NOW + 10 },
    ]);
    expect(ids((await search({ state: "resolved" })).promises)).toEqual(["c"]);
  });

  test("finds what carries every given tag with that very value", async () => {
    await lab().create("a", { tags: { x: "1", y: "2" } });
    await lab().create("b", { tags: { x: "1" } });
    await lab().create("c", { tags: { x: "1%" } });
    await lab().create("d", { tags: { constructor: "1" } });

    expect(ids((await search({ tags: { x: "1" } })).promises)).toEqual(["a", "b"]);
    expect(ids((await search({ tags: { x: "1", y: "2" } })).promises)).toEqual(["a"]);
    expect(ids((await search({ tags: { x: "%" } })).promises)).toEqual([]);
    expect(ids((await search({ tags: { constructor: "1" } })).promises)).toEqual(["d"]);
    expect(ids((await search({ tags: { toString: "x" } })).promises)).toEqual([]);
  });

  test("by origin finds the tree with its root, and no other", async () => {
    const origin = { "resonate:origin": "r" };
    for (const id of ["r", "r:0", "r:0.0"]) await lab().create(id, { tags: origin });
    await lab().create("other", { tags: { "resonate:origin": "other" } });
    await lab().create("r2");

    expect(ids((await search({ tags: origin })).promises)).toEqual(["r", "r:0", "r:0.0"]);
    const first = await search({ tags: origin, limit: 1 });
    expect(ids((await search({ tags: origin, cursor: first.cursor })).promises)).toEqual([
      "r:0",
      "r:0.0",
    ]);
  });

  test("sees what came before it in the same commit", async () => {
    const [, found] = await lab().askAll([
      { kind: "promise.create", data: { id: "a", timeoutAt: NOW + 1 } },
      { kind: "promise.search", data: {} },
    ]);

    expect(ids(found?.data.promises)).toEqual(["a"]);
  });
});

onEveryStore("task.search", (lab) => {
  test("filters by the state as of now, and shows it", async () => {
    await lab().given("a", "pending", { timeoutAt: NOW + 10 });
    await lab().given("b", "acquired");
    await lab().given("c", "fulfilled");
    lab().jump(10);
    const search = async (data: object) => (await lab().ok("task.search", data)).tasks;

    expect(await search({})).toEqual([
      { id: "a", state: "fulfilled", version: 0, resumes: 0 },
      await lab().task("b"),
      await lab().task("c"),
    ]);
    expect(await search({ state: "pending" })).toEqual([]);
    expect(ids(await search({ state: "fulfilled" }))).toEqual(["a", "c"]);
    expect(ids(await search({ state: "acquired" }))).toEqual(["b"]);
  });

  test("pages by id", async () => {
    for (const id of ["a", "b", "c"]) await lab().given(id, "pending");

    const first = await lab().ok("task.search", { limit: 2 });
    const second = await lab().ok("task.search", { limit: 2, cursor: first.cursor });

    expect([ids(first.tasks), ids(second.tasks), second.cursor]).toEqual([
      ["a", "b"],
      ["c"],
      undefined,
    ]);
    expect((await lab().ask("task.search", { cursor: "x" })).status).toBe(400);
  });
});

onEveryStore("schedule.search", (lab) => {
  test("matches the tags of its promises, 10 to a page when nothing else is said", async () => {
    for (let at = 0; at < 12; at++) {
      await lab().ok("schedule.create", {
        id: `s${String(at).padStart(2, "0")}`,
        cron: "0 0 1 1 *",
        promiseId: "x",
        promiseTimeout: 1,
        promiseTags: { ...targeted, parity: String(at % 2) },
      });
    }

    const first = await lab().ok("schedule.search", {});
    const second = await lab().ok("schedule.search", { cursor: first.cursor });
    const odd = await lab().ok("schedule.search", { tags: { parity: "1" }, limit: 2 });

    expect([first.schedules.length, ids(second.schedules), second.cursor]).toEqual([
      10,
      ["s10", "s11"],
      undefined,
    ]);
    expect(ids(odd.schedules)).toEqual(["s01", "s03"]);
    expect((await lab().ask("schedule.search", { cursor: "x" })).status).toBe(400);
  });
});
