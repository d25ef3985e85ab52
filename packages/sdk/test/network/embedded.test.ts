import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isRefusal, type Message, TAG } from "@resonate-ts/protocol";
import { EXTENSIONS } from "@resonate-ts/server";
import { afterEach, expect, test } from "vitest";
import { isResonateError } from "../../src/errors.ts";
import { EmbeddedNetwork } from "../../src/network/embedded.ts";
import { makeRequest } from "../../src/network/envelope.ts";

const LATER = 4_000_000_000_000;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(path?: string): EmbeddedNetwork {
  const network = new EmbeddedNetwork({ path, group: "g", pid: "p" });
  closers.push(() => network.stop());
  return network;
}

async function file(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "resonate-sdk-"));
  closers.push(() => rm(folder, { recursive: true }));
  return join(folder, "app.db");
}

const create = (id: string, tags = {}) =>
  makeRequest("promise.create", { id, timeoutAt: LATER, param: {}, tags });
const get = (id: string) => makeRequest("promise.get", { id });

test("requests of one turn are answered in order, before init too", async () => {
  const network = open();

  const [created, found, missing] = await Promise.all([
    network.send(create("a")),
    network.send(get("a")),
    network.send(get("b")),
  ]);

  expect(created.data).toEqual(found.data);
  expect([missing.head.status, isRefusal(missing)]).toEqual([404, true]);
});

test("a request that is malformed is refused in its place, as over HTTP", async () => {
  const network = open();

  const [before, malformed, after] = await Promise.all([
    network.send(create("a")),
    network.send(create("b", { "resonate:target": "nowhere" })),
    network.send(create("c")),
  ]);

  expect([before, malformed, after].map(({ head }) => head.status)).toEqual([200, 400, 200]);
  expect(malformed.data).toMatch(/resonate:target must be an address/);
});

test("the extensions are those of the server, once it is open", async () => {
  const network = open();
  expect([...network.extensions]).toEqual([]);

  await network.init();

  expect([...network.extensions]).toEqual([...EXTENSIONS]);
});

test("a task for this process's group arrives as a message", async () => {
  const network = open();
  const received = new Promise<Message>((resolve) => network.recv(resolve));
  await network.init();

  await network.send(create("a", { [TAG.target]: network.match("g") }));

  expect((await received).kind).toBe("execute");
});

test("what was answered is on file for the next one", async () => {
  const path = await file();
  const first = open(path);
  await first.send(create("a"));
  await first.stop();

  const answer = await open(path).send(get("a"));

  expect(answer.head.status).toBe(200);
});

test("what was sent just before stop is answered", async () => {
  const network = open();
  await network.init();

  const [answer] = await Promise.all([network.send(create("a")), network.stop()]);

  expect(answer.head.status).toBe(200);
});

test("nothing is taken after stop", async () => {
  const network = open();
  await network.stop();

  const error: unknown = await network.send(get("a")).catch((thrown) => thrown);

  expect(isResonateError(error, "STOPPED")).toBe(true);
});

test("a file that cannot be used fails init and requests with the server's own error", async () => {
  const network = open(join(await file(), "not", "there", "app.db"));

  const [fromInit, fromSend] = await Promise.allSettled([network.init(), network.send(get("a"))]);

  expect(fromInit).toMatchObject({ status: "rejected" });
  expect(fromSend).toEqual(fromInit);
});

test("deadlines go by the engine's time, where that is ahead because the machine's clock was set back", async () => {
  const path = await file();
  const before = open(path);
  await before.send(create("a"));
  expect(before.aheadMs).toBe(0);
  await before.stop();
  const records = new DatabaseSync(path);
  records
    .prepare("UPDATE meta SET value = ? WHERE name = 'clock_floor'")
    .run(Date.now() + 86_400_000);
  records.close();

  const after = open(path);
  await after.send(get("a"));

  expect(after.aheadMs).toBeGreaterThan(86_000_000);
  expect(after.aheadMs).toBeLessThan(87_000_000);
});
