import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings, type SettingsInput } from "../../src/settings.ts";
import { ask, Stream, silent } from "./harness.ts";

let server: RunningServer;

beforeEach(async () => {
  server = await open({});
});
afterEach(() => server.close());

function open(flags: SettingsInput["flags"]): Promise<RunningServer> {
  const settings = { "server.port": "0", "storage.type": "memory", ...flags };
  return serve(readSettings({ flags: settings }), { logger: silent });
}

const timeoutAt = 2 ** 50;
const head = { corrId: "c", version: "2026-04-01" };

function postAll(entries: readonly { kind: string; data: object }[]) {
  return ask(server, { body: JSON.stringify(entries.map((entry) => ({ ...entry, head }))) });
}

async function metrics(): Promise<string> {
  return (await ask(server, { method: "GET", path: "/metrics" })).text;
}

/** The value of a series; 0 when there is none. */
function sampleOf(text: string, series: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

const series = (text: string) => text.split("\n").filter((line) => line && !line.startsWith("#"));

test("requests are counted by kind and status, and those that were no envelope are not", async () => {
  await postAll([
    { kind: "promise.create", data: { id: "a", timeoutAt } },
    { kind: "promise.get", data: { id: "a" } },
    { kind: "promise.get", data: { id: "b" } },
    { kind: "promise.get", data: {} },
    { kind: "nonsense", data: {} },
  ]);
  await ask(server, { body: "{" });

  const text = await metrics();

  const counted = (kind: string, status: number) =>
    sampleOf(text, `resonate_request_total{kind="${kind}",status="${status}"}`);
  expect([
    counted("promise.create", 200),
    counted("promise.get", 200),
    counted("promise.get", 404),
    counted("promise.get", 400),
    counted("other", 400),
  ]).toEqual([1, 1, 1, 1, 1]);
  expect(sampleOf(text, 'resonate_request_duration_seconds_count{kind="promise.get"}')).toBe(3);
  expect(text).not.toContain("nonsense");
  expect(text).not.toContain("unknown");
});

test("commits, messages and streams are counted", async () => {
  const stream = await Stream.open(server);
  const tags = { "resonate:target": "poll://any@g" };
  const listener = { awaited: "a", address: "poll://uni@g/p" };
  await postAll([
    { kind: "promise.create", data: { id: "a", timeoutAt, tags } },
    { kind: "promise.register_listener", data: listener },
  ]);
  await postAll([{ kind: "promise.settle", data: { id: "a", state: "resolved" } }]);
  await stream.until("unblock");

  const text = await metrics();

  expect(sampleOf(text, 'resonate_messages_total{kind="execute"}')).toBe(1);
  expect(sampleOf(text, 'resonate_messages_total{kind="unblock"}')).toBe(1);
  expect(sampleOf(text, "resonate_connections")).toBe(1);
  expect(sampleOf(text, "resonate_commit_duration_seconds_count")).toBeGreaterThanOrEqual(2);
  expect(sampleOf(text, 'resonate_commit_steps_bucket{le="1"}')).toBeGreaterThanOrEqual(1);
  expect(sampleOf(text, "process_resident_memory_bytes")).toBeGreaterThan(1e7);
});

test("occurrences of schedules are counted", async () => {
  await server.close();
  server = await open({ debug: "true" });
  const schedule = {
    id: "s",
    cron: "* * * * *",
    promiseId: "{{.id}}.{{.timestamp}}",
    promiseTimeout: 1,
    promiseTags: { "resonate:target": "poll://any@g" },
  };
  const debugHead = { ...head, "resonate:debug_time": 0 };
  const body = JSON.stringify({ kind: "schedule.create", data: schedule, head: debugHead });
  await ask(server, { body });
  await postAll([{ kind: "debug.stop", data: {} }]);

  let text = "";
  // The engine catches up with all minutes since 1970, a page in each commit.
  while (sampleOf(text, "resonate_schedule_promises_total") < 3) text = await metrics();
});

test("whatever clients send there are fewer than 500 series, and no label is theirs", async () => {
  const kinds = Array.from({ length: 100_000 }, (_, at) => `made.up${at}`);
  for (let from = 0; from < kinds.length; from += 1_000) {
    const data = { id: `id${from}` };
    await postAll(kinds.slice(from, from + 1_000).map((kind) => ({ kind, data })));
  }
  for (const kind of ["__proto__", "constructor", 'x"} 1\nevil 2', "debug.x"]) {
    await postAll([{ kind, data: {} }]);
  }
  for (let at = 0; at < 20; at++) await Stream.open(server, `/poll/group${at}/p`);

  const text = await metrics();

  expect(sampleOf(text, 'resonate_request_total{kind="other",status="400"}')).toBe(100_003);
  expect(series(text).length).toBeLessThan(100);
  expect(text).not.toMatch(/made|evil|group\d|id\d/);
});

test("with every kind and status there can be there are fewer than 500 series", async () => {
  await server.close();
  server = await open({ debug: "true" });
  const kinds = [
    ...["get", "create", "settle", "register_callback", "register_listener", "search"].map(
      (name) => `promise.${name}`,
    ),
    ...["get", "create", "acquire", "fence", "heartbeat", "suspend", "fulfill", "release"].map(
      (name) => `task.${name}`,
    ),
    ...["task.halt", "task.continue", "task.search", "nonsense"],
    ...["create", "get", "delete", "search"].map((name) => `schedule.${name}`),
    ...["start", "stop", "reset", "tick", "snap"].map((name) => `debug.${name}`),
  ];
  await postAll(kinds.map((kind) => ({ kind, data: {} })));

  const once = series(await metrics()).length;

  // Each kind has its histogram and one status now; it is answered with eight of them on the average at most.
  expect(once + 7 * kinds.length).toBeLessThan(500);
});

test("a second port has the metrics and nothing else", async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  await server.close();
  server = await open({ "observability.metrics_port": String(port) });
  const second = { url: `http://127.0.0.1:${port}` };

  const there = await ask(second, { method: "GET", path: "/metrics" });

  expect(there.status).toBe(200);
  expect(there.headers["content-type"]).toMatch(/^text\/plain/);
  expect(there.text).toContain("resonate_connections 0");
  for (const [method, path] of [
    ["POST", "/"],
    ["GET", "/health"],
    ["GET", "/poll/g/p"],
  ] as const) {
    expect((await ask(second, { method, path })).status).toBe(404);
  }
  const evil = await ask(second, { method: "GET", path: "/metrics", headers: { host: "evil" } });
  expect(evil.status).toBe(403);
  await server.close();
  await expect(ask(second, { method: "GET", path: "/metrics" })).rejects.toThrow("ECONNREFUSED");
});

test("what waits is told by group, of twenty groups, and of all others together", async () => {
  const task = (id: string, group: string) => ({
    kind: "promise.create",
    data: { id, timeoutAt, tags: { "resonate:target": `poll://any@${group}` } },
  });
  await postAll([
    ...Array.from({ length: 25 }, (_, at) => task(`a${at}`, `few${at}`)),
    ...Array.from({ length: 3 }, (_, at) => task(`b${at}`, "many")),
    task("c", `${"long".repeat(100)}`),
  ]);

  const text = await metrics();

  expect(sampleOf(text, 'resonate_tasks_waiting{group="many"}')).toBe(3);
  expect(sampleOf(text, 'resonate_tasks_waiting{group=""}')).toBe(7);
  const oldest = series(text).filter((line) =>
    line.startsWith("resonate_tasks_oldest_waiting_seconds"),
  );
  expect(oldest).toHaveLength(21);
  for (const line of oldest) expect(Number(line.split(" ").at(-1))).toBeLessThan(60);
  expect(text).not.toContain("long".repeat(20));
});

test("what waits no longer is told no longer", async () => {
  const tags = { "resonate:target": "poll://any@g" };
  await postAll([{ kind: "promise.create", data: { id: "a", timeoutAt, tags } }]);
  expect(sampleOf(await metrics(), 'resonate_tasks_waiting{group="g"}')).toBe(1);

  await postAll([{ kind: "promise.settle", data: { id: "a", state: "resolved" } }]);

  expect(await metrics()).not.toContain('group="g"');
});

test("the size of a file is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "resonate-metrics-"));
  await server.close();
  server = await open({
    "storage.type": "sqlite",
    "storage.sqlite.path": join(folder, "resonate.db"),
  });

  expect(sampleOf(await metrics(), "resonate_store_bytes")).toBeGreaterThan(50_000);
  await server.close();
  rmSync(folder, { recursive: true });
});

test("the dashboard for Grafana asks for nothing that is not there", async () => {
  const path = new URL("../../../../docs/grafana/resonate.json", import.meta.url);
  const dashboard: unknown = JSON.parse(readFileSync(path, "utf8"));
  await postAll([{ kind: "promise.get", data: { id: "a" } }]);

  const text = await metrics();

  const told = new Set([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(namesOf));
  const asked = [...JSON.stringify(dashboard).matchAll(/\b(?:resonate|process)_\w+/g)];
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.map(([name]) => name).filter((name) => !told.has(name))).toEqual([]);
});

/** The series that a metric consists of. */
function namesOf([, name = "", type]: RegExpExecArray): readonly string[] {
  return type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name];
}
