import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Message } from "@resonate-ts/protocol";
import { afterEach, expect, test } from "vitest";
import type { Logger } from "../../src/logger.ts";
import { HttpNetwork } from "../../src/network/http.ts";
import { FakeServer, type FakeServerOptions } from "./fake-server.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await FakeServer.start(options);
  closers.push(() => server.close());
  return server;
}

function connect(url: string, { lines = [] as string[], token = "jwt" } = {}): HttpNetwork {
  const log = (_fields: object, message: string) => void lines.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const network = new HttpNetwork({ url, group: "a group", pid: "p/1", token, logger });
  closers.push(() => network.stop());
  return network;
}

const execute = (id: string): Message => ({
  kind: "execute",
  head: {},
  data: { task: { id, version: 0 } },
});

/** The messages a network receives, one after the other. */
function inbox(network: HttpNetwork): () => Promise<Message> {
  const received: Message[] = [];
  let wake = () => {};
  network.recv((message) => {
    received.push(message);
    wake();
  });
  return async () => {
    while (received.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return received.shift() as Message;
  };
}

test("a refusal that never ends is given up, and the stream is tried again", async () => {
  let polls = 0;
  const twice = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    response.writeHead(502).write("wait for it");
    if (++polls === 2) twice.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const network = new HttpNetwork({ url, group: "g", pid: "p", timeoutMs: 50 });
  closers.push(() => network.stop());

  await network.init();
  await twice.promise;
});

test("init resolves when the stream is open, and the server is known then", async () => {
  const server = await serve({ extensions: "batch" });
  const network = connect(server.url);

  await network.init();

  expect(server.streams).toHaveLength(1);
  expect(server.polls[0]?.url).toBe("/poll/a%20group/p%2F1");
  expect(server.polls[0]?.headers).toMatchObject({
    accept: "text/event-stream",
    authorization: "Bearer jwt",
    "resonate-extensions": "lease",
  });
  expect([...network.extensions]).toEqual(["batch"]);
});

test("init called twice opens one stream", async () => {
  const server = await serve();
  const network = connect(server.url);

  await Promise.all([network.init(), network.init()]);

  expect(server.polls).toHaveLength(1);
});

test("messages arrive in order, however they are cut into chunks", async () => {
  const server = await serve();
  const network = connect(server.url);
  const next = inbox(network);
  await network.init();

  const whole = `: hello\n\ndata: ${JSON.stringify(execute("first"))}\n\n`;
  const cut = Buffer.from(`data: ${JSON.stringify(execute("é"))}\n\n`);
  const middle = cut.indexOf(0xc3) + 1;
  server.streams[0]?.write(Buffer.concat([Buffer.from(whole), cut.subarray(0, middle)]));
  expect(await next()).toEqual(execute("first"));
  server.streams[0]?.write(cut.subarray(middle));
  server.push(execute("second"));

  expect(await next()).toEqual(execute("é"));
  expect(await next()).toEqual(execute("second"));
});

test.each([
  ["text that is not JSON", "hello"],
  ["an unknown kind", JSON.stringify({ kind: "dance", head: {}, data: { promise: { id: "a" } } })],
  ["a task without an id", JSON.stringify({ kind: "execute", head: {}, data: { task: {} } })],
  ["null", "null"],
])("%s is passed over, and said so", async (_name, data) => {
  const server = await serve();
  const lines: string[] = [];
  const network = connect(server.url, { lines });
  const next = inbox(network);
  await network.init();

  server.push(data);
  server.push(execute("after"));

  expect(await next()).toEqual(execute("after"));
  expect(lines).toEqual(["A message from the server was not understood."]);
});

test("a stream that breaks is opened again, and each opening is told", async () => {
  const server = await serve();
  const network = connect(server.url);
  const next = inbox(network);
  let openings = 0;
  network.opened(() => {
    openings += 1;
  });
  await network.init();
  expect(openings).toBe(1);

  server.streams[0]?.destroy();
  await server.until(() => server.streams.length === 2);
  server.push(execute("again"));

  expect(await next()).toEqual(execute("again"));
  expect(openings).toBe(2);
});

test("init resolves when no server is there, one line says where it looked, and it keeps trying", async () => {
  const first = await serve();
  const { port, url } = first;
  await first.close();
  const lines: string[] = [];
  const network = connect(url, { lines });

  await network.init();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(url);
  expect(lines[0]).toContain("Trying again");

  const server = await serve({ port });
  await server.until(() => server.streams.length === 1);
});

test("a refused stream is tried again", async () => {
  const server = await serve({ pollStatus: (poll) => (poll === 1 ? 503 : 200) });
  const lines: string[] = [];
  const network = connect(server.url, { lines });

  await network.init();
  await server.until(() => server.streams.length === 1);

  expect(lines[0]).toContain("503 no stream");
});

test("stop ends the stream and does not open another", async () => {
  const server = await serve();
  const network = connect(server.url);
  await network.init();
  const ended = new Promise((resolve) => server.streams[0]?.once("close", resolve));

  await network.stop();
  await network.stop();
  await ended;

  expect(server.polls).toHaveLength(1);
});
