import { connect } from "node:net";
import type { Message } from "@resonate-ts/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KEEP_ALIVE_MS, WAITING_BYTES_MAX } from "../../src/transports/sse-poll.ts";
import {
  ask,
  eventually,
  executeMessage,
  Stream,
  silent,
  start,
  type TestServer,
} from "./harness.ts";

let server: TestServer;

beforeEach(async () => {
  server = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

function connection(at = 0) {
  const found = server.engine.open[at];
  if (!found) throw new Error(`no connection ${at}`);
  return found;
}

describe("a stream", () => {
  test("is of the group and the process that its path names, percent-decoded", async () => {
    const stream = await Stream.open(server, "/poll/a%2Fb/%C3%BC%20p?x=1");

    expect(stream.response.statusCode).toBe(200);
    expect(stream.response.headers).toMatchObject({
      "content-type": "text/event-stream",
      "resonate-extensions": "batch, lease, delta, claim, then",
    });
    expect(connection()).toMatchObject({ group: "a/b", id: "ü p" });
  });

  test("carries each message as one data line, in order", async () => {
    const stream = await Stream.open(server);

    expect(connection().send(executeMessage("one\ntwo"))).toBe(true);
    expect(connection().send(executeMessage("last"))).toBe(true);

    expect(await stream.until('"last","version":0}}}\n\n')).toBe(
      ":\n\n" +
        'data: {"kind":"execute","head":{},"data":{"task":{"id":"one\\ntwo","version":0}}}\n\n' +
        'data: {"kind":"execute","head":{},"data":{"task":{"id":"last","version":0}}}\n\n',
    );
  });

  test("that is silent carries a comment every 15 s", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const stream = await Stream.open(server);
    await stream.until(":\n\n");

    vi.advanceTimersByTime(KEEP_ALIVE_MS);

    expect(await stream.until(":\n\n:\n\n")).toBe(":\n\n:\n\n");
  });

  test("that its client closes is closed in the engine, and takes no message", async () => {
    const stream = await Stream.open(server);
    const { send } = connection();

    stream.response.destroy();

    await eventually(() => server.engine.connections === 0);
    expect(send(executeMessage("late"))).toBe(false);
  });

  test("that the engine is done with ends after what was sent", async () => {
    const stream = await Stream.open(server);

    connection().send(executeMessage("last"));
    connection().closed();

    await stream.until("last");
    await stream.ended;
  });

  test("ends when the server closes", async () => {
    const stream = await Stream.open(server);

    await server.close();

    await stream.ended;
  });
});

test.each([
  ["", 5_000],
  ["batch, lease", 1_000],
  ["release", 5_000],
])("a client that says it has '%s' gets %d ms of grace", async (extensions, graceMs) => {
  await Stream.open(server, "/poll/g/p", { "Resonate-Extensions": extensions });

  expect(connection().graceMs).toBe(graceMs);
});

test("stream 1,000 is taken and stream 1,001 is 503", async () => {
  server.engine.others = 999;
  await Stream.open(server, "/poll/g/one");

  const answer = await ask(server, { method: "GET", path: "/poll/g/two" });

  expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "5"]);
  expect(server.engine.open.map(({ id }) => id)).toEqual(["one"]);
});

describe("a reader that does not read", () => {
  const large: Message = executeMessage("x".repeat(64 * 1024));
  /** More than the system and the server buffer together. */
  const FILL_MAX = 1_000;

  async function openWithoutReading(id: string) {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(`GET /poll/g/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await eventually(() => server.engine.open.some((open) => open.id === id));
    return socket;
  }

  /** Sends, a turn of the event loop apart, until a message is dropped. */
  async function fill(at: number): Promise<number> {
    for (let sent = 0; sent < FILL_MAX; sent += 1) {
      if (!connection(at).send(large)) return sent;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return FILL_MAX;
  }

  test("loses messages beyond a bound, and others do not notice", async () => {
    const socket = await openWithoutReading("slow");
    const other = await Stream.open(server, "/poll/g/other");

    expect(await fill(0)).toBeLessThan(FILL_MAX);
    expect(connection(0).send(executeMessage("small"))).toBe(false);
    expect(connection(1).send(executeMessage("through"))).toBe(true);
    await other.until("through");
    socket.destroy();
  });

  test("is said to be one once, however many messages it misses", async () => {
    await server.close();
    const warnings: string[] = [];
    const warn = (_fields: object, message: string) => void warnings.push(message);
    server = await start({}, undefined, { ...silent, warn });
    const socket = await openWithoutReading("slow");
    await fill(0);

    for (let missed = 0; missed < 100; missed++) connection().send(large);

    expect(warnings).toEqual(["messages are held back: slow reader"]);
    socket.destroy();
  });

  test("gets messages again when it has caught up", async () => {
    const socket = await openWithoutReading("slow");
    await fill(0);

    socket.resume();

    await eventually(() => connection().send(executeMessage("again")));
    socket.destroy();
  });

  test("is always given a message while nothing waits, however large", async () => {
    await Stream.open(server);

    expect(connection().send(executeMessage("x".repeat(2 * WAITING_BYTES_MAX)))).toBe(true);
  });

  test("is cut when it has taken nothing between two looks", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const socket = await openWithoutReading("stuck");
    await fill(0);

    vi.advanceTimersByTime(KEEP_ALIVE_MS);
    expect(server.engine.connections).toBe(1);
    vi.advanceTimersByTime(KEEP_ALIVE_MS);

    await eventually(() => server.engine.connections === 0);
    socket.destroy();
  });
});
