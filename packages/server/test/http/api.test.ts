import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, ask, envelope, start, type TestServer } from "./harness.ts";

const BODY_BYTES_MAX = 2 * 1024 * 1024;

let server: TestServer;

beforeEach(async () => {
  server = await start();
});
afterEach(() => server.close());

const post = (body: unknown) => ask(server, { body: JSON.stringify(body) });
const statusAndData = ({ status, text }: Answer) => [status, JSON.parse(text).data];

describe("one envelope", () => {
  test("is answered with the status of its head, as JSON", async () => {
    const found = await post(envelope());
    const absent = await post(envelope({ data: { id: "absent" } }));

    expect(found.status).toBe(200);
    expect(found.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(found.text)).toEqual({
      kind: "promise.get",
      head: { corrId: "c1", status: 200, version: "2026-04-01" },
      data: { promise: { id: "a" } },
    });
    expect(statusAndData(absent)).toEqual([404, "Promise not found"]);
  });

  test("that the engine fails for is answered 500, and the answer tells nothing of why", async () => {
    server.engine.before = () => Promise.reject(new Error("secret"));

    const answer = await post(envelope());

    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: "promise.get", head: { corrId: "c1" } });
    expect(answer.text).not.toContain("secret");
  });

  test("is refused with what could be saved of it", async () => {
    const answer = await post(envelope({ data: "text" }));

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({
      kind: "promise.get",
      head: { corrId: "c1", status: 400 },
      data: expect.stringContaining("Invalid request envelope: data"),
    });
    expect(server.engine.processed).toEqual([]);
  });

  test.each([
    ["no body", ""],
    ["no JSON", "{"],
    ["a number", "1"],
    ["null", "null"],
    ["text", '"promise.get"'],
  ])("%s is 400", async (_name, body) => {
    const answer = await ask(server, { body });

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: "unknown", head: { corrId: "0" } });
    expect(JSON.parse(answer.text).data).toMatch(/^Invalid request envelope: /);
  });

  test("with an id that is not UTF-8 is 400: it must not become another id", async () => {
    const body = Buffer.from(JSON.stringify(envelope({ data: { id: "\u00ff" } })), "latin1");

    const answer = await ask(server, { body });

    expect(statusAndData(answer)).toEqual([400, "Invalid request envelope: the body is not UTF-8"]);
    expect(server.engine.processed).toEqual([]);
  });

  test("nested 100,000 deep is answered", async () => {
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;

    const answer = await ask(server, {
      body: JSON.stringify(envelope({ data: "?" })).replace('"?"', deep),
    });

    expect(answer.status).toBe(400);
  });
});

describe("a batch", () => {
  test("is answered 200 with each answer in its place, the bad ones refused there", async () => {
    const entries = ["a", "absent", "b"].map((id, at) =>
      envelope({ data: { id }, head: { corrId: `c${at}`, version: "2026-04-01" } }),
    );

    const answer = await post([
      entries[0],
      [entries[1]],
      1,
      entries[1],
      envelope({ kind: "x" }),
      entries[2],
    ]);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).map(({ head }: { head: object }) => head)).toMatchObject([
      { corrId: "c0", status: 200 },
      { corrId: "0", status: 400 },
      { corrId: "0", status: 400 },
      { corrId: "c1", status: 404 },
      { corrId: "c1", status: 400 },
      { corrId: "c2", status: 200 },
    ]);
    expect(server.engine.processed.map((requests) => requests.length)).toEqual([3]);
  });

  test("of none is answered with none", async () => {
    const answer = await post([]);

    expect([answer.status, answer.text]).toEqual([200, "[]"]);
    expect(server.engine.processed).toEqual([]);
  });

  test("of 1,000 is taken, of 1,001 is 400 and nothing of it is done", async () => {
    const taken = await post(Array(1_000).fill(envelope()));
    const refused = await post(Array(1_001).fill(envelope()));

    expect([taken.status, JSON.parse(taken.text).length]).toEqual([200, 1_000]);
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text).data).toContain("at most 1000 entries, got 1001");
    expect(server.engine.processed.map((requests) => requests.length)).toEqual([1_000]);
  });

  test("that the engine fails for answers 500 in the place of each good entry", async () => {
    server.engine.before = () => Promise.reject(new Error("disk"));

    const answer = await post([envelope(), 1]);

    const statuses = JSON.parse(answer.text).map(
      (one: { head: { status: number } }) => one.head.status,
    );
    expect([answer.status, statuses]).toEqual([200, [500, 400]]);
  });
});

describe("the size of a body", () => {
  test("may be 2 MiB", async () => {
    const body = JSON.stringify(envelope()).padEnd(BODY_BYTES_MAX);

    expect((await ask(server, { body })).status).toBe(200);
  });

  test("of one byte more is 413, and the connection is closed", async () => {
    const body = JSON.stringify(envelope()).padEnd(BODY_BYTES_MAX + 1);

    const answer = await ask(server, { body });

    expect(statusAndData(answer)).toEqual([
      413,
      "The body is larger than 2097152 bytes (limits.body_bytes)",
    ]);
    expect(server.engine.processed).toEqual([]);
  });

  test("without end is 413 after the limit, and the rest is not read", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);
    let answer = "";
    let over = false;
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    closed.then(() => {
      over = true;
    });

    socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!over && socket.bytesWritten < 512 * 1024 * 1024) {
      if (!socket.write(chunk)) {
        await Promise.race([closed, new Promise((resolve) => socket.once("drain", resolve))]);
      }
    }
    await closed;

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    // What the system buffers on both sides is a few MiB.
    expect(socket.bytesWritten).toBeLessThan(32 * 1024 * 1024);
  });
});
