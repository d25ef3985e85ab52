/** What is read for the page, from an engine. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PAYLOAD_LENGTH_MAX, readDetail } from "../../src/dashboard/detail.ts";
import {
  type ExecutionsWanted,
  placeOfCursor,
  readExecutions,
} from "../../src/dashboard/executions.ts";
import { readTree } from "../../src/dashboard/tree.ts";
import { readWhy } from "../../src/dashboard/why-facts.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openEngine } from "../../src/open.ts";
import { RecordingLogger } from "../support/logger.ts";
import { create, encoded, insideOf, LATER, send, tagsOf } from "./engine.ts";

let engine: Engine;
beforeEach(async () => {
  engine = await openEngine({ logger: new RecordingLogger() });
});
afterEach(() => engine.close());

async function executions(wanted: Partial<ExecutionsWanted> = {}) {
  const page = await readExecutions(insideOf(engine), { limit: 50, ...wanted });
  return { ids: page.executions.map(({ id }) => id), cursor: page.cursor };
}

async function tree(id: string) {
  const found = await readTree(insideOf(engine), id);
  if (!found) throw new Error(`there is no '${id}'`);
  return { ...found, ids: found.nodes.map((node) => node.id) };
}

const settle = (id: string, data?: string) =>
  ({
    kind: "promise.settle",
    data: { id, state: "resolved", value: data === undefined ? {} : { data } },
  }) as const;
const acquire = (id: string, version = 0) =>
  ({ kind: "task.acquire", data: { id, version, pid: "w", ttl: 60_000 } }) as const;

/** Has the run `awaiter` wait for these. */
async function suspend(awaiter: string, awaited: readonly string[]): Promise<void> {
  await send(engine, [acquire(awaiter)]);
  const head = { corrId: "c", version: "2026-04-01" };
  const actions = awaited.map((id) => ({
    kind: "promise.register_callback" as const,
    head,
    data: { awaited: id, awaiter },
  }));
  await send(engine, [{ kind: "task.suspend", data: { id: awaiter, version: 1, actions } }]);
}

describe("runs", () => {
  test("come the newest first, without what they called, page by page", async () => {
    const ids = Array.from({ length: 7 }, (_, at) => `r${at}`);
    for (const id of ids) await send(engine, [create(id, { tags: tagsOf.run(id) })]);
    await send(engine, [
      create("r0:0", { tags: tagsOf.call("r0:0", "r0") }),
      create("own", { tags: tagsOf.shared("own", "r0") }),
    ]);

    const seen: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = await executions({ limit: 3, before });
      seen.push(...page.ids);
      if (page.cursor === undefined) break;
      before = placeOfCursor(page.cursor);
    }

    expect(seen).toEqual(ids.toReversed());
  });

  test("are filtered by their state as of now", async () => {
    await send(engine, [create("open"), create("done"), create("late", { timeoutAt: 1 })]);
    await send(engine, [settle("done")]);

    expect((await executions({ state: "pending" })).ids).toEqual(["open"]);
    expect((await executions({ state: "resolved" })).ids).toEqual(["done"]);
    expect((await executions({ state: "rejected_timedout" })).ids).toEqual(["late"]);
    expect((await executions({ state: "rejected" })).ids).toEqual([]);
  });

  test("that are halted are found with the calls that are", async () => {
    await send(engine, [
      create("a", { tags: tagsOf.run("a") }),
      create("a:0", { tags: tagsOf.call("a:0", "a") }),
      create("b", { tags: tagsOf.run("b") }),
    ]);
    await send(engine, [
      { kind: "task.halt", data: { id: "a:0" } },
      { kind: "task.halt", data: { id: "b" } },
    ]);

    expect((await executions({ state: "halted" })).ids).toEqual(["b", "a:0"]);
  });

  test("are found by their function", async () => {
    await send(engine, [
      create("a", { param: { func: "mail", args: [], version: 1 } }),
      create("b", { param: { func: "print", args: [], version: 1 } }),
    ]);

    expect((await executions({ func: "mail" })).ids).toEqual(["a"]);
  });

  test("are found by how their ids start, and calls with an id of their own are too", async () => {
    await send(engine, [
      create("mail-1", { tags: tagsOf.run("mail-1") }),
      create("mail-1:0", { tags: tagsOf.call("mail-1:0", "mail-1") }),
      create("mail-2", { tags: tagsOf.shared("mail-2", "print") }),
      create("print", { tags: tagsOf.run("print") }),
    ]);

    expect((await executions({ idPrefix: "mail" })).ids).toEqual(["mail-2", "mail-1"]);
    expect((await executions({ idPrefix: "mail", limit: 1 })).ids).toEqual(["mail-2"]);
    expect((await executions({ idPrefix: "mail-1:0" })).ids).toEqual(["mail-1:0"]);
    expect((await executions({ idPrefix: "Mail" })).ids).toEqual([]);
  });

  test("are found by how their ids start among more than can be read by id", async () => {
    const many = Array.from({ length: 21_000 }, (_, at) => `x${at}`);
    for (let from = 0; from < many.length; from += 1_000) {
      await send(
        engine,
        many.slice(from, from + 1_000).map((id) => create(id)),
      );
    }

    const page = await executions({ idPrefix: "x", limit: 2 });

    expect(page.ids).toEqual(["x20999", "x20998"]);
  });

  test("that are rare are looked for page by page, and a page may be empty", async () => {
    await send(engine, [create("rare", { param: { func: "rare", version: 1 } })]);
    for (let from = 0; from < 21_000; from += 1_000) {
      await send(
        engine,
        Array.from({ length: 1_000 }, (_, at) => create(`x${from + at}`)),
      );
    }

    const first = await executions({ func: "rare" });
    const second = await executions({ func: "rare", before: placeOfCursor(first.cursor ?? "") });

    expect(first.ids).toEqual([]);
    expect(second).toEqual({ ids: ["rare"], cursor: undefined });
  });
});

describe("a tree", () => {
  beforeEach(async () => {
    await send(engine, [
      create("a", { tags: tagsOf.run("a") }),
      create("a:0", { tags: tagsOf.call("a:0", "a") }),
      create("a:1", { tags: tagsOf.step("a:1", "a") }),
      create("own", { tags: tagsOf.shared("own", "a:0") }),
      create("own:0", { tags: tagsOf.call("own:0", "own") }),
      create("deep", { tags: tagsOf.shared("deep", "own:0") }),
      create("a:0.0", { tags: tagsOf.call("a:0.0", "a:0") }),
      create("other", { tags: tagsOf.run("other") }),
    ]);
  });

  const ALL = ["a", "a:0", "a:1", "a:0.0", "deep", "own", "own:0"];

  test.each(ALL)("is found from %s, whole, parents first", async (id) => {
    const { root, ids, nodes, truncated } = await tree(id);

    expect([root, truncated]).toEqual(["a", undefined]);
    expect(ids.toSorted()).toEqual(ALL.toSorted());
    const parents = nodes.map(({ parent }) => parent).filter((one) => one !== undefined);
    for (const [at, { parent }] of nodes.entries()) {
      if (parent !== undefined) expect(ids.slice(0, at)).toContain(parent);
    }
    expect(parents).toHaveLength(ALL.length - 1);
  });

  test("whose top was forgotten begins where it still is", async () => {
    await send(engine, [create("left:0", { tags: tagsOf.call("left:0", "left") })]);

    expect(await tree("left:0")).toMatchObject({ root: "left:0", ids: ["left:0"] });
  });

  test("that calls itself in a circle ends", async () => {
    await send(engine, [
      create("one", { tags: tagsOf.shared("one", "two") }),
      create("two", { tags: tagsOf.shared("two", "one") }),
    ]);

    expect((await tree("one")).ids.toSorted()).toEqual(["one", "two"]);
  });

  test("has an edge for who waits for what it did not call", async () => {
    await suspend("a", ["a:0", "other"]);
    await suspend("own", ["other"]);

    expect((await tree("a")).edges).toEqual([
      { awaiter: "a", awaited: "other" },
      { awaiter: "own", awaited: "other" },
    ]);
  });

  test("with more than can be shown says so", async () => {
    for (let from = 0; from < 21_000; from += 1_000) {
      const ids = Array.from({ length: 1_000 }, (_, at) => `other:${from + at}`);
      await send(
        engine,
        ids.map((id) => create(id, { tags: tagsOf.call(id, "other") })),
      );
    }

    const { ids, truncated } = await tree("other");

    expect([ids.length, truncated]).toEqual([20_000, true]);
    expect(ids[0]).toBe("other");
  });
});

describe("a promise", () => {
  const detail = (id: string) => readDetail(insideOf(engine), id);

  test("is shown with its payloads as text, and who waits for whom", async () => {
    await send(engine, [
      create("a", { tags: tagsOf.run("a"), param: { func: "f", args: [1] } }),
      create("b", { tags: { "resonate:scope": "global" } }),
    ]);
    await send(engine, [
      { kind: "promise.register_listener", data: { awaited: "b", address: "poll://uni@g/l" } },
    ]);
    await suspend("a", ["b"]);

    expect(await detail("a")).toMatchObject({
      promise: { id: "a", state: "pending" },
      node: { id: "a", kind: "root", func: "f" },
      task: { state: "suspended", version: 1 },
      paramText: '{\n  "func": "f",\n  "args": [\n    1\n  ]\n}',
      awaits: ["b"],
      awaiters: [],
    });
    expect(await detail("b")).toMatchObject({ awaiters: ["a"], listeners: ["poll://uni@g/l"] });
    expect(await detail("c")).toBeUndefined();
    expect(await detail("a")).not.toHaveProperty("promise.dueAt");
  });

  test("past its deadline is shown as settled", async () => {
    await send(engine, [create("a", { timeoutAt: LATER })]);
    const inside = { ...insideOf(engine), now: () => LATER };

    expect(await readDetail(inside, "a")).toMatchObject({
      promise: { state: "rejected_timedout", settledAt: LATER },
      node: { state: "rejected_timedout" },
    });
  });

  test.each([
    ["text", Buffer.from("héllo").toString("base64"), "héllo"],
    ["no UTF-8", "//79", undefined],
    ["no base64", "not base64!", undefined],
    ["nothing", "", ""],
  ])("with %s in it shows what can be read", async (_, data, text) => {
    await send(engine, [create("a")]);
    await send(engine, [settle("a", data)]);

    expect((await detail("a"))?.valueText).toBe(text);
  });

  test("that is very large is cut, and says so", async () => {
    const text = "é".repeat(PAYLOAD_LENGTH_MAX / 2);
    const data = encoded(text);
    await send(engine, [create("a")]);
    await send(engine, [settle("a", data)]);

    const shown = await detail("a");

    expect(shown?.cut).toEqual({ value: data.length });
    expect(shown?.promise.value.data).toBe(data.slice(0, PAYLOAD_LENGTH_MAX));
    const length = shown?.valueText?.length ?? 0;
    expect(length).toBeGreaterThan(98_000);
    expect(`"${text}`.startsWith(shown?.valueText ?? "?")).toBe(true);
  });
});

test("why something does not move is found through what it waits for, steps and all", async () => {
  await send(engine, [
    create("a", { tags: tagsOf.run("a") }),
    create("b", { tags: tagsOf.run("b") }),
    create("b:0", { tags: tagsOf.step("b:0", "b") }),
  ]);
  await suspend("a", ["b"]);
  await send(engine, [acquire("b")]);

  const why = await readWhy(insideOf(engine), "a");
  const ofStep = await readWhy(insideOf(engine), "b:0");

  expect(why?.verdict).toBe("waiting");
  expect(why?.reasons.map(({ code, ids }) => [code, ids])).toEqual([
    ["lease", ["b"]],
    ["awaits", ["b"]],
  ]);
  expect(ofStep?.reasons.map(({ code }) => code)).toEqual(["lease", "awaits"]);
  expect(await readWhy(insideOf(engine), "absent")).toBeUndefined();
});
