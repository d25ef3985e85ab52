import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { anycast, PROTOCOL_VERSION, TAG, unicast } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";
import { ask, Stream, silent } from "./harness.ts";

let folder: string;
let server: RunningServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "resonate-http-"));
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const timeoutAt = Date.now() + 3_600_000;

function envelope(kind: string, data: object): object {
  return { kind, head: { corrId: `c-${kind}`, version: PROTOCOL_VERSION }, data };
}

async function post(kind: string, data: object) {
  const { status, text } = await ask(server, { body: JSON.stringify(envelope(kind, data)) });
  return { status, data: JSON.parse(text).data };
}

const taskFor = (group: string, id: string) => ({
  id,
  timeoutAt,
  tags: { [TAG.target]: anycast(group) },
});

describe.each(["memory", "sqlite"])("over %s", (type) => {
  beforeEach(async () => {
    server = await open(type);
  });

  test("what one request creates, the next one sees", async () => {
    const created = await post("promise.create", { id: "a", timeoutAt });
    const seen = await post("promise.get", { id: "a" });
    const absent = await post("promise.get", { id: "b" });

    expect(created.status).toBe(200);
    expect(seen).toEqual(created);
    expect(absent.status).toBe(404);
  });

  test("a batch is applied in order, past the entries that are refused", async () => {
    const batch = [
      envelope("promise.get", { id: "a" }),
      envelope("promise.create", { id: "a", timeoutAt }),
      envelope("promise.create", { id: "", timeoutAt }),
      envelope("promise.settle", { id: "a", state: "resolved", value: { data: "eA==" } }),
      envelope("promise.get", { id: "a" }),
    ];

    const { status, text } = await ask(server, { body: JSON.stringify(batch) });

    const answers: { head: { status: number }; data: { promise?: { state: string } } }[] =
      JSON.parse(text);
    expect(status).toBe(200);
    expect(answers.map(({ head }) => head.status)).toEqual([404, 200, 400, 200, 200]);
    expect(answers[4]?.data.promise?.state).toBe("resolved");
  });

  test("a task is offered to a stream of its group, and to one that opens later", async () => {
    const stream = await Stream.open(server, "/poll/workers/one");

    await post("promise.create", taskFor("workers", "now"));
    await post("promise.create", taskFor("later", "then"));
    const other = await Stream.open(server, "/poll/later/two");

    expect(await stream.until('"now"')).toContain('"kind":"execute"');
    await other.until('"then"');
  });

  test("a listener hears of the promise that settled", async () => {
    const stream = await Stream.open(server, "/poll/g/p%20q");
    await post("promise.create", { id: "a", timeoutAt, tags: { [TAG.scope]: "global" } });
    await post("promise.register_listener", { awaited: "a", address: unicast("g", "p q") });

    await post("promise.settle", { id: "a", state: "resolved", value: { data: "eA==" } });

    expect(await stream.until('"unblock"')).toContain('"value":{"data":"eA=="}');
  });

  test("the server's own address is in what it sends, with its real port", async () => {
    const stream = await Stream.open(server, "/poll/workers/one");

    await post("promise.create", taskFor("workers", "a"));

    expect(await stream.until('"execute"')).toContain(`"serverUrl":"${server.url}"`);
  });

  test("it is ready", async () => {
    expect((await ask(server, { method: "GET", path: "/ready" })).status).toBe(200);
  });
});

test("a file is there for the next server, and closed by the last one", async () => {
  server = await open("sqlite");
  await post("promise.create", { id: "a", timeoutAt });
  await server.close();

  server = await open("sqlite");

  expect((await post("promise.get", { id: "a" })).status).toBe(200);
});

test("a file that another server has is refused", async () => {
  server = await open("sqlite");
  const busy = { "storage.sqlite.path": join(folder, "test.db"), "server.port": "0" } as const;

  await expect(serve(readSettings({ flags: busy }), { logger: silent })).rejects.toMatchObject({
    name: "StoreInUseError",
  });
});

function open(type: string): Promise<RunningServer> {
  const flags = {
    "server.port": "0",
    "storage.type": type,
    "storage.sqlite.path": join(folder, "test.db"),
  };
  return serve(readSettings({ flags }), { logger: silent });
}

test("answers are dated by the engine's time, where that is not the machine's", async () => {
  server = await open("sqlite");
  await post("promise.create", { id: "a", timeoutAt });
  await server.close();
  const records = new DatabaseSync(join(folder, "test.db"));
  records
    .prepare("UPDATE meta SET value = ? WHERE name = 'clock_floor'")
    .run(Date.now() + 86_400_000);
  records.close();

  server = await open("sqlite");
  const response = await fetch(`${server.url}/health`);

  const aheadMs = Date.parse(response.headers.get("date") ?? "") - Date.now();
  expect(aheadMs).toBeGreaterThan(86_000_000);
  expect(aheadMs).toBeLessThan(87_000_000);
});
