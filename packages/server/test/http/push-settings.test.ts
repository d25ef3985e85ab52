/** The settings of pushes, on a real server and a real endpoint. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createMetrics } from "../../src/http/metrics.ts";
import { openPush } from "../../src/push.ts";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings, type SettingsInput } from "../../src/settings.ts";
import { ask, eventually, silent } from "./harness.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A program that is called, and how it answers. */
async function endpoint(answer: (response: ServerResponse) => void = (response) => response.end()) {
  const called: IncomingHttpHeaders[] = [];
  const http = createServer((request, response) => {
    called.push(request.headers);
    answer(response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/run`, called };
}

async function open(flags: SettingsInput["flags"]): Promise<RunningServer> {
  const given = { "server.port": "0", "storage.type": "memory", ...flags };
  const server = await serve(readSettings({ flags: given }), { logger: silent });
  closing.push(() => server.close());
  return server;
}

async function create(server: RunningServer, id: string, target: string): Promise<void> {
  const tags = { "resonate:target": target };
  const head = { corrId: "c", version: "2026-04-01" };
  const data = { id, timeoutAt: 2 ** 50, tags };
  await ask(server, { body: JSON.stringify({ kind: "promise.create", head, data }) });
}

/** Resolves when so many deliveries have ended so. */
async function delivered(server: RunningServer, status: string, count = 1): Promise<void> {
  const line = `resonate_deliveries_total{status="${status}"} ${count}\n`;
  for (;;) {
    const { text } = await ask(server, { method: "GET", path: "/metrics" });
    if (text.includes(line)) return;
  }
}

const bearer = (allow: string) => ({
  "transports.http_push.auth.mode": "bearer",
  "transports.http_push.auth.token": "s3cret",
  "transports.http_push.allow_targets": allow,
});

describe("a push", () => {
  test("shows the token to a host that is named, in the header that is named", async () => {
    const worker = await endpoint();
    const header = { "transports.http_push.auth.header": "X-Key" };
    const server = await open({ ...bearer("worker.example,127.0.0.1"), ...header });

    await create(server, "a", worker.url);
    await delivered(server, "success");

    expect(worker.called).toMatchObject([{ "x-key": "Bearer s3cret" }]);
  });

  test("shows no token to a host that is not named", async () => {
    const worker = await endpoint();
    const server = await open(bearer("worker.example"));

    await create(server, "a", worker.url);
    await delivered(server, "success");

    expect(worker.called[0]).not.toHaveProperty("authorization");
  });

  test("that is not answered in its time is an error", async () => {
    const worker = await endpoint(() => {});
    const server = await open({ "transports.http_push.request_timeout": "20" });

    await create(server, "a", worker.url);

    await delivered(server, "error");
    expect(worker.called).toHaveLength(1);
  });

  test("goes to this machine from a server for all only when that is allowed", async () => {
    const worker = await endpoint();
    const everywhere = { "server.bind": "0.0.0.0", insecure: "true" };
    const strict = await open(everywhere);
    const open127 = { "transports.http_push.allow_targets": "127.0.0.0/8" };
    const lenient = await open({ ...everywhere, ...open127 });

    await create(strict, "a", worker.url);
    await delivered(strict, "error");
    expect(worker.called).toHaveLength(0);
    await create(lenient, "a", worker.url);
    await delivered(lenient, "success");

    expect(worker.called).toHaveLength(1);
  });

  test("waits for a place: one endpoint has half of them at most", async () => {
    const held: ServerResponse[] = [];
    const worker = await endpoint((response) => held.push(response));
    const server = await open({ "transports.http_push.concurrency": "2" });
    await create(server, "a", worker.url);
    await create(server, "b", worker.url);
    await eventually(() => held.length === 1);

    held[0]?.end();
    await eventually(() => held.length === 2);
    held[1]?.end();

    await delivered(server, "success", 2);
  });

  test("under way at the end of the server is dropped", async () => {
    const worker = await endpoint(() => {});
    const ended: string[] = [];
    const metrics = createMetrics(() => 0);
    const settings = readSettings();
    const counting = {
      ...metrics,
      delivered: (status: string) => {
        ended.push(status);
      },
    };
    const push = openPush(settings, { logger: silent, metrics: counting });
    const message = { kind: "execute", head: {}, data: { task: { id: "a", version: 0 } } } as const;
    const taken = push?.push(worker.url, message);
    await eventually(() => worker.called.length === 1);

    await push?.close();
    metrics.close();

    expect([await taken, ended]).toEqual([false, ["dropped"]]);
  });

  test("is not made where that is switched off", () => {
    const metrics = createMetrics(() => 0);
    const settings = readSettings({ flags: { "transports.http_push.enabled": "false" } });

    expect(openPush(settings, { logger: silent, metrics })).toBeUndefined();
    metrics.close();
  });
});
