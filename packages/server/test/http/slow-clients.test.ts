import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BodyReader } from "../../src/http/body.ts";
import { type Listener, listen } from "../../src/http/listener.ts";
import { sendEmpty } from "../../src/http/respond.ts";
import { ask, eventually, Stream, start } from "./harness.ts";

let listener: Listener;
let url: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  const limits = { headersMs: 300, requestMs: 600, checkMs: 50, connectionsMax: 150 };
  listener = await listen({ bind: "127.0.0.1", port: 0 }, limits);
  const bodies = new BodyReader(1_000);
  listener.serve(async (request, response) => {
    const { kind } = await bodies.read(request);
    if (kind === "text") sendEmpty(response, 200);
  });
  url = `http://127.0.0.1:${listener.port}`;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener.end(0);
});

/** Connections that send `text` and then nothing; each resolves with what was answered when it is closed. */
function open(count: number, text: string): Promise<string>[] {
  return Array.from({ length: count }, () => {
    const socket = connect(listener.port, "127.0.0.1");
    sockets.push(socket);
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => {});
    socket.write(text);
    return new Promise<string>((resolve) => socket.once("close", () => resolve(answer)));
  });
}

async function healthyMs(): Promise<number> {
  const startedAt = performance.now();
  const { status } = await ask({ url }, { body: "x" });
  expect(status).toBe(200);
  return performance.now() - startedAt;
}

describe("clients that send nothing more are let go, and others are served meanwhile", () => {
  test.each([
    ["heads", "POST / HTTP/1.1\r\nHost: x\r\nX: "],
    ["bodies", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"],
    ["chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx"],
  ])("after half of their %s", async (_name, text) => {
    const slow = open(100, text);
    const latencies: number[] = [];
    let over = false;
    const answers = Promise.all(slow).finally(() => {
      over = true;
    });

    while (!over) latencies.push(await healthyMs());

    for (const answer of await answers) expect(answer).toMatch(/^$|^HTTP\/1\.1 408 /);
    latencies.sort((one, other) => one - other);
    expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(50);
  });
});

test("connections beyond the most there may be are closed, and there is room when others are gone", async () => {
  const slow = open(150, "POST / HTTP/1.1\r\n");
  const refused = await Promise.race(open(1, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));

  expect(refused).toBe("");
  await Promise.all(slow);
  await healthyMs();
});

test("a storm of processes that connect again leaves one stream of each", async () => {
  const server = await start({ "transports.http_poll.max_connections": "300" });
  const streams = await Promise.all(
    Array.from({ length: 200 }, (_, at) => Stream.open(server, `/poll/g/p${at}`)),
  );

  for (const stream of streams) stream.response.destroy();
  const again = await Promise.all(
    Array.from({ length: 100 }, (_, at) => Stream.open(server, `/poll/g/p${at}`)),
  );
  await eventually(() => server.engine.connections === 100);

  expect(again.every(({ response }) => response.statusCode === 200)).toBe(true);
  await server.close();
});

test("streams beyond the most there may be are 503, and none where the door is closed", async () => {
  const server = await start({ "transports.http_poll.max_connections": "2" });
  const closed = await start({ "transports.http_poll.enabled": "false" });
  const first = await Stream.open(server, "/poll/g/1");
  await Stream.open(server, "/poll/g/2");

  const refused = await ask(server, { method: "GET", path: "/poll/g/3" });
  const none = await ask(closed, { method: "GET", path: "/poll/g/1" });
  first.response.destroy();
  await eventually(() => server.engine.connections === 1);

  expect([refused.status, none.status]).toEqual([503, 404]);
  expect((await Stream.open(server, "/poll/g/3")).response.statusCode).toBe(200);
  await Promise.all([server.close(), closed.close()]);
});
