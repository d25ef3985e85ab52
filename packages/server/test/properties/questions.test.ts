/**
 * The specification's questions to an implementation, C1 to C12, one test each. The mutation check takes the guard
 * of each away, and wants to see its test red.
 */
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { afterEach, expect, test } from "vitest";
import type { Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";
import { ask, silent } from "../http/harness.ts";
import { keyFile, tokenOf } from "../http/tokens.ts";
import {
  claimedCreate,
  fulfill,
  global,
  type Lab,
  NOW,
  onEveryStore,
  RETRY_MS,
  suspend,
  TARGET,
  targeted,
  timer,
} from "../support/lab.ts";
import { readNamed, type StoredEntry } from "./stored-world.ts";

const EXTERNAL = {
  global,
  external: { "resonate:external": "true" },
  timer,
  targeted,
} as const;
const INTERNAL = {
  untagged: {},
  local: { "resonate:scope": "local" },
  "other values": { "resonate:external": "yes", "resonate:timer": "1" },
} as const;
const LISTENER = "poll://uni@g/w";

async function stored(lab: Lab, id: string): Promise<StoredEntry | undefined> {
  const named = { ids: [id], addresses: [LISTENER], scheduleIds: [] };
  return (await readNamed(lab.store, named, lab.now)).entry(id);
}

onEveryStore("question", (lab) => {
  const take = (step: Step) =>
    execute(lab().store, [step], lab().now, { retryTimeoutMs: RETRY_MS });

  test("C1: the deadline of every external promise is acted on, and of no internal one", async () => {
    for (const [id, tags] of Object.entries({ ...EXTERNAL, ...INTERNAL })) {
      await lab().create(id, { tags, timeoutAt: NOW + 10 });
    }

    await lab().advance(10);

    const state = async (id: string) => (await stored(lab(), id))?.promise?.state;
    expect({
      external: await Promise.all(Object.keys(EXTERNAL).map(state)),
      internal: await Promise.all(Object.keys(INTERNAL).map(state)),
    }).toEqual({
      external: ["rejected_timedout", "rejected_timedout", "resolved", "rejected_timedout"],
      internal: ["pending", "pending", "pending"],
    });
  });

  test("C2: an internal promise takes no callback, be it registered or suspended on", async () => {
    await lab().given("t", "acquired");
    for (const [awaited, tags] of Object.entries(INTERNAL)) {
      await lab().create(awaited, { tags });

      const registered = await lab().ask("promise.register_callback", { awaited, awaiter: "t" });
      const suspended = await lab().ask("task.suspend", suspend("t", 1, awaited));

      expect([registered.status, suspended.status]).toEqual([422, 422]);
      expect(await stored(lab(), awaited)).toMatchObject({ callbacks: [] });
    }
  });

  test("C3: an internal promise takes no listener", async () => {
    for (const [awaited, tags] of Object.entries(INTERNAL)) {
      await lab().create(awaited, { tags });

      const data = { awaited, address: LISTENER };
      expect((await lab().ask("promise.register_listener", data)).status).toBe(422);
      expect(await stored(lab(), awaited)).toMatchObject({ listeners: [] });
    }
  });

  test("C4: past the deadline a create sees a fulfilled task, and it is neither halted nor continued", async () => {
    await lab().given("pending", "pending", { timeoutAt: NOW + 10 });
    await lab().given("halted", "halted", { timeoutAt: NOW + 10 });
    lab().jump(10);

    const created = await lab().ok("task.create", claimedCreate("pending"));

    expect(created.task).toEqual({ id: "pending", state: "fulfilled", version: 0, resumes: 0 });
    expect((await lab().ask("task.halt", { id: "pending" })).status).toBe(409);
    expect((await lab().ask("task.continue", { id: "halted" })).status).toBe(409);
  });

  test("C5: past the deadline neither the end of a lease nor a retry offers the task", async () => {
    await lab().given("held", "acquired", { timeoutAt: NOW + RETRY_MS });
    await lab().given("offered", "pending", { timeoutAt: NOW + RETRY_MS });
    lab().jump(RETRY_MS);

    const expired = await take({
      kind: "task.expire",
      data: { id: "held", version: 1, lost: false },
    });
    const offered = await take({ kind: "task.offer", data: { id: "offered", version: 0 } });

    expect([...expired.messages, ...offered.messages]).toEqual([]);
    expect([...expired.changes, ...offered.changes]).toEqual([]);
  });

  test("C6: who awaits is not woken past its own deadline", async () => {
    await lab().given("t", "suspended", { timeoutAt: NOW + 10 });
    lab().jump(10);

    const { messages } = await take({
      kind: "promise.settle",
      data: { id: "t-awaited", state: "resolved", value: {} },
    });

    expect(messages).toEqual([]);
    expect((await stored(lab(), "t"))?.task).toMatchObject({ state: "suspended", resumes: 0 });
  });

  test("C7: past the deadline a heartbeat renews nothing", async () => {
    await lab().given("t", "acquired", { timeoutAt: NOW + 10 });
    const before = await stored(lab(), "t");
    lab().jump(10);

    await lab().ok("task.heartbeat", { pid: "p1", tasks: [{ id: "t", version: 1 }] });

    expect((await stored(lab(), "t"))?.task).toEqual(before?.task);
  });

  test("C8: every answer shows the projection", async () => {
    const tags = { "resonate:branch": "t" };
    await lab().given("t", "acquired", { tags });
    await lab().create("t:0", { tags: { ...tags, ...targeted }, timeoutAt: NOW + 10 });
    lab().jump(10);
    const over = "rejected_timedout";

    const registered = await lab().ok("promise.register_listener", {
      awaited: "t:0",
      address: LISTENER,
    });
    const called = await lab().ok("promise.register_callback", { awaited: "t:0", awaiter: "t" });
    const fenced = await lab().ok("task.fence", {
      id: "t",
      version: 1,
      action: { kind: "promise.settle", data: { id: "t:0", state: "resolved" } },
    });
    const found = await lab().ok("promise.search", { state: over });
    const tasks = await lab().ok("task.search", { state: "fulfilled" });

    expect(await lab().promise("t:0")).toMatchObject({ state: over, settledAt: NOW + 10 });
    expect(await lab().task("t:0")).toMatchObject({ state: "fulfilled" });
    expect(registered.promise.state).toBe(over);
    expect(called.promise.state).toBe(over);
    expect(fenced.action.data.promise.state).toBe(over);
    expect(fenced.preload).toMatchObject([{ id: "t:0", state: over }]);
    expect(found.promises).toMatchObject([{ id: "t:0", state: over }]);
    expect(tasks.tasks).toMatchObject([{ id: "t:0", state: "fulfilled" }]);
  });

  test("C9: no version is offered that the task does not have", async () => {
    const worker = lab().connect("g", "w");
    await lab().create("t", { tags: targeted });
    await lab().ok("task.acquire", { id: "t", version: 0, pid: "p1", ttl: 10_000 });
    await lab().ok("task.release", { id: "t", version: 1 });
    await lab().ok("task.acquire", { id: "t", version: 1, pid: "p1", ttl: 10_000 });
    // A release and a claim in one commit: by its end the offer is for a version that is taken.
    const answers = await lab().askAll([
      { kind: "task.release", data: { id: "t", version: 2 } },
      { kind: "task.acquire", data: { id: "t", version: 2, pid: "p1", ttl: 10_000 } },
    ]);
    await lab().advance(10_000);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const offered = worker.take();
    expect([...new Set(offered)]).toEqual(["execute t 0", "execute t 1", "execute t 3"]);
  });

  test("C10: a task has one valid claim at a time", async () => {
    await lab().create("t", { tags: targeted });
    const claim = (version: number, pid: string) => ({
      kind: "task.acquire",
      data: { id: "t", version, pid, ttl: 10_000 },
    });

    const together = await lab().askAll([claim(0, "p1"), claim(0, "p2"), claim(1, "p3")]);
    await lab().ok("task.release", { id: "t", version: 1 });
    const late = await lab().askAll([claim(0, "p2"), claim(1, "p2")]);
    const old = await lab().ask("task.fulfill", fulfill("t", 1));

    expect(together.map(({ status }) => status)).toEqual([200, 409, 409]);
    expect(late.map(({ status }) => status)).toEqual([409, 200]);
    expect(old.status).toBe(409);
    expect(await lab().task("t")).toMatchObject({ state: "acquired", version: 2, pid: "p2" });
  });

  test("C11: a settled promise takes no callback and no listener", async () => {
    await lab().given("t", "suspended");
    await lab().create("p", { tags: global });
    await lab().resolve("p");

    await lab().ok("promise.register_callback", { awaited: "p", awaiter: "t" });
    await lab().ok("promise.register_listener", { awaited: "p", address: LISTENER });
    await lab().advance(5_000);

    expect(await stored(lab(), "p")).toMatchObject({ callbacks: [], listeners: [], unblocks: [] });
    expect(await lab().task("t")).toMatchObject({ state: "suspended", resumes: 0 });
  });
});

let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

test("C12: whoever is not let in can neither reset the server, nor move its time, nor look into it", async () => {
  const flags = { "server.port": "0", "storage.type": "memory" };
  server = await serve(readSettings({ flags }), { logger: silent });
  const { url } = server;
  const post = async (kind: string, data: object, head: object = {}) => {
    const envelope = { kind, head: { corrId: "c", version: PROTOCOL_VERSION, ...head }, data };
    const { status, text } = await ask({ url }, { body: JSON.stringify(envelope) });
    return { status, data: JSON.parse(text).data };
  };
  const timeoutAt = Date.now() + 600_000;
  await post("promise.create", { id: "p", timeoutAt, tags: { "resonate:target": TARGET } });

  for (const kind of ["start", "stop", "reset", "tick", "snap"]) {
    const { status, data } = await post(`debug.${kind}`, { time: timeoutAt });
    expect([kind, status >= 400 && status < 500, typeof data]).toEqual([kind, true, "string"]);
  }

  const later = { "resonate:debug_time": timeoutAt };
  expect(await post("promise.get", { id: "p" }, later)).toMatchObject({
    status: 200,
    data: { promise: { state: "pending" } },
  });
});

test("C12: where debugging is on, a token that opens everything is asked for all the same", async () => {
  const key = keyFile();
  const flags = {
    "server.port": "0",
    "storage.type": "memory",
    "auth.publickey": key.path,
    debug: "true",
  };
  server = await serve(readSettings({ flags }), { logger: silent });
  const { url } = server;
  const post = async (kind: string, data: object, auth?: string) => {
    const head = { corrId: "c", version: PROTOCOL_VERSION, ...(auth && { auth }) };
    return ask({ url }, { body: JSON.stringify({ kind, head, data }) });
  };
  const everything = await tokenOf({ role: "admin" });
  const some = await tokenOf({ prefix: "p" });
  const timeoutAt = Date.now() + 600_000;
  await post("promise.create", { id: "p", timeoutAt, tags: global }, everything);

  for (const kind of ["start", "stop", "reset", "tick", "snap"]) {
    const statuses = [undefined, "nonsense", some].map(
      async (auth) => (await post(`debug.${kind}`, { time: timeoutAt }, auth)).status,
    );
    expect([kind, ...(await Promise.all(statuses))]).toEqual([kind, 401, 401, 403]);
  }

  const answer = await post("promise.get", { id: "p" }, everything);
  expect(JSON.parse(answer.text).data.promise).toMatchObject({ state: "pending" });
  expect((await post("debug.snap", {}, everything)).status).toBe(200);
  key.remove();
});
