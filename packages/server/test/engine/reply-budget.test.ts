import { PROTOCOL_VERSION, type RequestKind } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { openEngine } from "../../src/open.ts";

const timeoutAt = 2 ** 50;
const large = { data: "x".repeat(400) };
const target = { "resonate:target": "poll://any@g" };

let engine: Engine;

beforeEach(async () => {
  engine = await openEngine({ replyBytesMax: 1_000 });
});
afterEach(() => engine.close());

type Asked = readonly [RequestKind, object, object?];

async function askAll(...asked: readonly Asked[]) {
  const requests = asked.map(([kind, data, head]) => {
    const parsed = parseRequest({
      kind,
      head: { corrId: "c", version: PROTOCOL_VERSION, ...head },
      data,
    });
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.request;
  });
  return (await engine.process(requests)).map(({ head, data }) => ({
    status: head.status,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
    data: data as any,
  }));
}

async function ask(...asked: Asked) {
  const [answer] = await askAll(asked);
  if (answer?.status !== 200 && answer?.status !== 300) throw new Error(JSON.stringify(answer));
  return answer.data;
}

const create = (id: string, more: object = {}) =>
  ["promise.create", { id, timeoutAt, ...more }] as const;
const ids = (promises: readonly { id: string }[]) => promises.map(({ id }) => id);
const callbacks = (awaiter: string, ...awaited: string[]) =>
  awaited.map((one) => ({
    kind: "promise.register_callback",
    head: {},
    data: { awaited: one, awaiter },
  }));

test("a batch is left undone from where its answers are too large, and says which limit", async () => {
  const answers = await askAll(
    create("a", { param: large }),
    create("b", { param: large }),
    create("c"),
    ["promise.get", { id: "a" }],
  );

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 503, 503]);
  expect(answers[2]?.data).toContain("limits.reply_bytes (1000)");
  expect((await askAll(["promise.get", { id: "b" }]))[0]?.status).toBe(200);
  expect((await askAll(["promise.get", { id: "c" }]))[0]?.status).toBe(404);
});

test("a request alone is answered, however large the answer", async () => {
  await ask(...create("a", { param: { data: "x".repeat(5_000) } }));

  expect((await ask("promise.get", { id: "a" })).promise.param.data).toHaveLength(5_000);
});

test("a budget is that of one batch: what shares its commit has its own", async () => {
  const [one, other] = await Promise.all([
    askAll(create("a", { param: large }), create("b", { param: large }), create("c")),
    askAll(create("d", { param: large }), create("e")),
  ]);

  expect(one.map(({ status }) => status)).toEqual([200, 200, 503]);
  expect(other.map(({ status }) => status)).toEqual([200, 200]);
});

test("a claim is answered without that part of its preload that is too large", async () => {
  const tags = { "resonate:branch": "t" };
  await ask(...create("t", { tags: { ...tags, ...target } }));
  for (const child of ["t:0", "t:1", "t:2"]) await ask(...create(child, { tags, param: large }));

  const { task, preload } = await ask("task.acquire", { id: "t", version: 0, pid: "p", ttl: 9 });

  expect(task).toMatchObject({ id: "t", state: "acquired", version: 1 });
  expect(ids(preload)).toEqual(["t:0"]);
});

test("of the promises that a suspend names, one at least is in the preload", async () => {
  const global = { "resonate:scope": "global" };
  const data = { id: "t", timeoutAt, tags: target };
  await ask("task.create", { pid: "p", ttl: 9_000, action: { kind: "promise.create", data } });
  for (const id of ["a", "b"]) {
    await ask(...create(id, { tags: global, param: { data: "x".repeat(2_000) } }));
    await ask("promise.settle", { id, state: "resolved" });
  }
  const suspend = (...awaited: string[]) =>
    ask("task.suspend", { id: "t", version: 1, actions: callbacks("t", ...awaited) });

  expect(ids((await suspend("a", "b")).preload)).toEqual(["a"]);
  expect(ids((await suspend("b")).preload)).toEqual(["b"]);
});

test("a page of a search ends early, and the next one goes on", async () => {
  for (const id of ["a", "b", "c", "d"]) await ask(...create(id, { param: large }));

  const first = await ask("promise.search", {});
  const { promises, cursor } = await ask("promise.search", { cursor: first.cursor });

  // Two of them are more than 1,000 bytes of JSON.
  expect(ids(first.promises)).toEqual(["a", "b"]);
  expect(ids(promises)).toEqual(["c", "d"]);
  expect(cursor).toBeUndefined();
});
