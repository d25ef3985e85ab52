import type {
  DebugRequest,
  DebugSnapshot,
  Message,
  Refusal,
  RequestKind,
} from "@resonate-ts/protocol";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { openEngine } from "../../src/open.ts";
import { RecordingLogger } from "../support/logger.ts";

const WALL = 9_000_000;
const target = { "resonate:target": "poll://any@g" };
const global = { "resonate:scope": "global" };

let engine: Engine;
/** Timers of the engine, run by the test. */
let timers: Set<() => void>;

beforeEach(async () => {
  timers = new Set();
  const clock = {
    now: () => WALL,
    after(_ms: number, callback: () => void) {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  engine = await openEngine({ debug: true, clock, logger: new RecordingLogger() });
});
afterEach(() => engine.close());

async function ask(kind: RequestKind, data: object, time?: number) {
  const head = { corrId: "c", version: PROTOCOL_VERSION, "resonate:debug_time": time };
  const parsed = parseRequest({ kind, head, data });
  if (!parsed.ok) throw new Error(parsed.message);
  const [answer] = await engine.process([parsed.request]);
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  return answer as any;
}

async function debug(kind: DebugRequest["kind"], data: object = {}, time?: number) {
  const head = { corrId: "d", version: PROTOCOL_VERSION, "resonate:debug_time": time };
  const answer = await engine.debugging?.answer({ kind, head, data } as DebugRequest);
  if (!answer) throw new Error("not open for debugging");
  return answer;
}

const snap = async (time?: number) => (await debug("debug.snap", {}, time)).data as DebugSnapshot;

function connect(id = "p") {
  const messages: Message[] = [];
  let closed = false;
  engine.connect({
    group: "g",
    id,
    graceMs: 0,
    send: (message) => messages.push(message) > 0,
    closed: () => {
      closed = true;
    },
  });
  return { messages, isClosed: () => closed };
}

function fire(): void {
  for (const timer of [...timers]) {
    timers.delete(timer);
    timer();
  }
}

test("a request is taken at the time it says, and at the clock's when it says none", async () => {
  const first = await ask("promise.create", { id: "a", timeoutAt: 100 }, 7);
  const second = await ask("promise.create", { id: "b", timeoutAt: WALL + 1 });

  expect(first.data.promise.createdAt).toBe(7);
  expect(second.data.promise.createdAt).toBe(WALL);
});

test("each request of a batch has its own time, and time does not go back", async () => {
  await ask("promise.create", { id: "a", timeoutAt: 100 }, 50);

  expect((await ask("promise.create", { id: "b", timeoutAt: 100 }, 40)).data.promise).toMatchObject(
    { createdAt: 50 },
  );
  expect((await ask("promise.get", { id: "a" }, 99)).data.promise.state).toBe("pending");
  expect((await ask("promise.get", { id: "a" }, 100)).data.promise.state).toBe("rejected_timedout");
});

test("an engine that is not for debugging has no such operations, and ignores such times", async () => {
  await engine.close();
  engine = await openEngine({ logger: new RecordingLogger() });

  const { data } = await ask("promise.create", { id: "a", timeoutAt: 2 ** 50 }, 7);

  expect(engine.debugging).toBeUndefined();
  expect(data.promise.createdAt).toBeGreaterThan(1_000_000);
});

describe("debug.tick", () => {
  beforeEach(() => debug("debug.start"));

  test("takes what is due at its time, and what is then due because of it", async () => {
    await ask("promise.create", { id: "t", timeoutAt: 1_000, tags: target }, 0);
    await ask("promise.create", { id: "a", timeoutAt: 10, tags: global }, 0);
    await ask("promise.create", { id: "s", timeoutAt: 11, tags: global }, 0);

    expect(await debug("debug.tick", { time: 10 })).toMatchObject({ data: [] });

    const { promises, promiseTimeouts } = await snap(10);
    expect(promises.map(({ id, state, settledAt }) => [id, state, settledAt])).toEqual([
      ["a", "rejected_timedout", 10],
      ["s", "pending", undefined],
      ["t", "pending", undefined],
    ]);
    expect(promiseTimeouts).toEqual([
      { id: "s", timeout: 11 },
      { id: "t", timeout: 1_000 },
    ]);
  });

  test("fires every missed occurrence of a schedule", async () => {
    const schedule = {
      id: "s",
      cron: "* * * * *",
      promiseId: "{{.id}}-{{.timestamp}}",
      promiseTimeout: 10,
      promiseTags: target,
    };
    await ask("schedule.create", schedule, 0);

    await debug("debug.tick", { time: 180_000 });

    expect((await snap()).promises.map(({ id }) => id)).toEqual([
      "s-120000",
      "s-180000",
      "s-60000",
    ]);
  });

  test("of another time than the request says is 400, and takes nothing", async () => {
    await ask("promise.create", { id: "a", timeoutAt: 10, tags: global }, 0);

    const answer = (await debug("debug.tick", { time: 10 }, 11)) as Refusal;

    expect(answer.head.status).toBe(400);
    expect(answer.data).toContain("time");
    expect((await snap()).promises[0]?.state).toBe("pending");
  });

  test("is repeated without effect", async () => {
    await ask("promise.create", { id: "a", timeoutAt: 1_000_000, tags: target }, 0);
    await debug("debug.tick", { time: 500_000 });
    const once = await snap(500_000);

    await debug("debug.tick", { time: 500_000 });

    expect(await snap(500_000)).toEqual(once);
  });
});

test("debug.snap shows records as they are stored, with timers, obligations and messages", async () => {
  await debug("debug.start");
  await ask("promise.create", { id: "a", timeoutAt: 100, tags: target }, 0);
  await ask(
    "promise.create",
    { id: "d", timeoutAt: 9, tags: { ...target, "resonate:delay": "8" } },
    0,
  );
  const created = { id: "b", timeoutAt: 100, tags: target };
  const action = { kind: "promise.create", head: {}, data: created };
  await ask("task.create", { pid: "p", ttl: 20, action }, 0);
  await ask("promise.register_callback", { awaited: "a", awaiter: "b" }, 0);
  await ask("promise.register_listener", { awaited: "a", address: "poll://uni@g/p" }, 0);

  const pending = await snap(50);
  await ask("promise.settle", { id: "a", state: "resolved" }, 60);
  const settled = await snap(60);

  expect(pending).toMatchObject({
    promises: [{ id: "a" }, { id: "b" }, { id: "d", state: "pending" }],
    tasks: [
      { id: "a", state: "pending", version: 0 },
      { id: "b", state: "acquired", version: 1, pid: "p", ttl: 20 },
      { id: "d", state: "pending" },
    ],
    taskTimeouts: [
      { id: "a", type: 0, timeout: 30_000 },
      { id: "b", type: 1, timeout: 20 },
      { id: "d", type: 0, timeout: 8 },
    ],
    callbacks: [{ awaiter: "b", awaited: "a" }],
    listeners: [{ id: "a", address: "poll://uni@g/p" }],
  });
  const execute = { kind: "execute", head: {}, data: { task: { id: "a", version: 0 } } };
  expect(pending.messages).toContainEqual({ address: "poll://any@g", message: execute });
  expect(settled.callbacks).toEqual([]);
  expect(settled.listeners).toEqual([]);
  expect(settled.messages.filter(({ message }) => message.kind === "unblock")).toMatchObject([
    { address: "poll://uni@g/p", message: { data: { promise: { id: "a", state: "resolved" } } } },
  ]);
  expect(JSON.stringify(pending)).not.toContain("dueAt");
});

test("debug.reset forgets everything, the time included, and offers of what is gone", async () => {
  await ask("promise.create", { id: "a", timeoutAt: 2 ** 50, tags: target }, 500);

  await debug("debug.reset");

  expect(await snap()).toMatchObject({ promises: [], tasks: [], messages: [] });
  expect((await ask("promise.create", { id: "b", timeoutAt: 10 }, 3)).data.promise.createdAt).toBe(
    3,
  );
  expect(connect().messages).toEqual([]);
});

describe("between debug.start and debug.stop", () => {
  test("nothing falls due by itself and nothing is sent; afterwards both happen", async () => {
    const { messages, isClosed } = connect();
    await debug("debug.start");
    await ask("promise.create", { id: "a", timeoutAt: WALL + 1_000, tags: target });
    await ask("promise.create", { id: "late", timeoutAt: 10, tags: global }, 0);
    fire();

    const resting = await snap();
    const sent = messages.length;
    await debug("debug.stop");
    fire();
    // Takes its turn after what has fallen due.
    await ask("promise.get", { id: "a" });

    expect(resting.promises.map(({ state }) => state)).toEqual(["pending", "pending"]);
    expect(sent).toBe(0);
    expect((await snap()).promises.map(({ state }) => state)).toEqual([
      "pending",
      "rejected_timedout",
    ]);
    expect(messages).toMatchObject([{ kind: "execute", data: { task: { id: "a" } } }]);
    expect(isClosed()).toBe(false);
    expect(engine.connections).toBe(1);
  });
});

test("connections are closed with the engine, and not before", async () => {
  const first = connect();
  await debug("debug.reset");
  await debug("debug.start");
  const replaced = first.isClosed();
  const second = connect("q");

  await engine.close();

  expect(replaced).toBe(false);
  expect([first.isClosed(), second.isClosed()]).toEqual([true, true]);
});

test("nothing is done about tasks that wait for each other while time rests", async () => {
  const suspended = async (id: string, awaited: string) => {
    const data = { awaited, awaiter: id };
    const actions = [{ kind: "promise.register_callback", data }];
    expect((await ask("task.suspend", { id, version: 1, actions })).head.status).toBe(200);
  };
  const state = async (id: string) => (await ask("promise.get", { id })).data.promise.state;
  await debug("debug.start");
  for (const id of ["a", "b", "c", "d"]) {
    const action = { kind: "promise.create", data: { id, timeoutAt: 2 * WALL, tags: target } };
    await ask("task.create", { pid: "p", ttl: WALL, action });
  }

  await suspended("a", "b");
  await suspended("b", "a");
  for (let turn = 0; turn < 20; turn++) expect(await state("b")).toBe("pending");

  await debug("debug.stop");
  await suspended("c", "d");
  await suspended("d", "c");
  let seen = await state("d");
  for (let turn = 0; turn < 100 && seen === "pending"; turn++) seen = await state("d");
  expect([seen, await state("b")]).toEqual(["rejected", "pending"]);
});
