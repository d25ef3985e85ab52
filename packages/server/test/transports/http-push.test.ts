import type { LookupAddress, lookup } from "node:dns";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Message } from "@resonate-ts/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { HttpPush, type HttpPushOptions, WAITING_MAX } from "../../src/transports/http-push.ts";

type Log = { readonly level: string; readonly fields: object; readonly message: string };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Received {
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A web server on this machine that keeps what it gets. */
async function endpoint(
  answer: (response: ServerResponse, request: IncomingMessage) => void = (response) =>
    response.end(),
  address = "127.0.0.1",
) {
  const received: Received[] = [];
  let connections = 0;
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ url: request.url, headers: request.headers, body });
    answer(response, request);
  });
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://${address}:${port}/hook?key=s3cret`,
    port,
    received,
    connections: () => connections,
  };
}

function pusher(options: Partial<HttpPushOptions> = {}) {
  const logs: Log[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void logs.push({ level, fields, message });
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const push = new HttpPush({ allowLoopback: true, ...options, logger });
  closing.push(() => push.close());
  return { push, logs };
}

/** A look-up that answers each time with the next of these, and with the last one again. */
function leadsTo(...answers: string[][]): typeof lookup {
  const left = [...answers];
  const find = (_name: string, _options: object, callback: (...found: unknown[]) => void) => {
    const next = (left.length > 1 ? left.shift() : left[0]) ?? [];
    const addresses: LookupAddress[] = next.map((address) => ({ address, family: 4 }));
    callback(null, addresses);
  };
  return find as unknown as typeof lookup; // The guard asks for all addresses, always.
}

const execute = (id: string): Message => ({
  kind: "execute",
  head: { serverUrl: "http://server.test" },
  data: { task: { id, version: 1 } },
});

describe("a message", () => {
  test("is one POST of JSON, taken when the answer is 2xx", async () => {
    const { url, received } = await endpoint((response) => response.writeHead(204).end());
    const { push, logs } = pusher();

    expect(await push.push(url, execute("a"))).toBe(true);

    expect(received).toMatchObject([
      { url: "/hook?key=s3cret", headers: { "content-type": "application/json" } },
    ]);
    expect(JSON.parse(received[0]?.body ?? "")).toEqual(execute("a"));
    expect(logs).toEqual([]);
  });

  test.each([400, 404, 500])(
    "is not taken when the answer is %d, and the log names it",
    async (status) => {
      const { url } = await endpoint((response) => response.writeHead(status).end("no"));
      const { push, logs } = pusher();

      expect(await push.push(url, execute("a"))).toBe(false);

      expect(logs).toMatchObject([{ level: "warn", fields: { message: "execute a 1", status } }]);
      expect(JSON.stringify(logs)).not.toContain("s3cret");
    },
  );

  test("is not taken along to where an answer redirects", async () => {
    const elsewhere = await endpoint();
    const { url } = await endpoint((response) =>
      response.writeHead(307, { Location: elsewhere.url }).end(),
    );
    const { push } = pusher();

    expect(await push.push(url, execute("a"))).toBe(false);
    expect(elsewhere.connections()).toBe(0);
  });

  test("to a port where nobody listens is not taken, and the log says why", async () => {
    const { push, logs } = pusher();

    expect(await push.push("http://127.0.0.1:1023/", execute("a"))).toBe(false);
    expect(await push.push("http://127.0.0.1:49999/", execute("a"))).toBe(false);

    expect(logs.map(({ level }) => level)).toEqual(["error", "warn"]);
  });

  test("that is answered too late is not taken", async () => {
    const { url } = await endpoint(() => {});
    const { push } = pusher({ requestTimeoutMs: 50 });

    expect(await push.push(url, execute("a"))).toBe(false);
  });

  test("that is under way is not sent a second time", async () => {
    const hanging: ServerResponse[] = [];
    const { url, received } = await endpoint((response) => {
      hanging.push(response);
      if (received.length === 1) void again();
    });
    const { push } = pusher();
    const first = push.push(url, execute("a"));
    let second: Promise<boolean> | undefined;
    const again = async () => {
      second = push.push(url, execute("a"));
      for (const response of hanging) response.end();
    };

    expect([await first, await second]).toEqual([true, true]);
    expect(received).toHaveLength(1);
  });
});

describe("places", () => {
  test("are not all taken by an endpoint that hangs", async () => {
    const hanging = await endpoint(() => {});
    const other = await endpoint();
    const { push } = pusher({ concurrency: 2 });
    const held = Array.from({ length: 5 }, (_, at) => push.push(hanging.url, execute(`h${at}`)));

    const through = Array.from({ length: 5 }, (_, at) => push.push(other.url, execute(`o${at}`)));

    expect(await Promise.all(through)).toEqual(Array(5).fill(true));
    expect(hanging.received.length).toBeLessThanOrEqual(1);
    await push.close();
    expect(await Promise.all(held)).toEqual(Array(5).fill(false));
  });

  test("that are waited for are bounded; what is beyond is not taken, and said once", async () => {
    const hanging = await endpoint(() => {});
    const { push, logs } = pusher({ concurrency: 2 });
    for (let at = 0; at <= WAITING_MAX; at++) void push.push(hanging.url, execute(`h${at}`));

    expect(await push.push(hanging.url, execute("x"))).toBe(false);
    expect(await push.push(hanging.url, execute("y"))).toBe(false);

    expect(logs).toMatchObject([{ level: "warn" }]);
  });
});

describe("a target that must not be called", () => {
  test.each([
    ["this machine", "http://127.0.0.1:PORT/"],
    ["this machine in other digits", "http://2130706433:PORT/"],
    ["this machine as IPv6", "http://[::ffff:7f00:1]:PORT/"],
    ["any address", "http://0.0.0.0:PORT/"],
    ["a name that leads here", "http://public.example:PORT/"],
    ["a name with a dot at the end", "http://localhost.:PORT/"],
  ])("sees no connection: %s", async (_, address) => {
    const canary = await endpoint();
    const { push, logs } = pusher({ allowLoopback: false, lookup: leadsTo(["127.0.0.1"]) });

    expect(await push.push(address.replace("PORT", `${canary.port}`), execute("a"))).toBe(false);

    expect(canary.connections()).toBe(0);
    expect(logs).toHaveLength(1);
    expect(logs[0]?.fields).toMatchObject({
      message: "execute a 1",
      error: { name: "TargetRefusedError" },
    });
  });

  test("sees no connection when its name leads to it only the second time", async () => {
    const canary = await endpoint();
    const allowed = await endpoint(
      (response) => response.writeHead(200, { Connection: "close" }).end(),
      "127.0.0.2",
    );
    const { push } = pusher({
      allowLoopback: false,
      allowTargets: ["127.0.0.2"],
      lookup: leadsTo(["127.0.0.2"], ["127.0.0.1"]),
    });

    expect(await push.push(`http://name.example:${allowed.port}/`, execute("a"))).toBe(true);
    expect(await push.push(`http://name.example:${canary.port}/`, execute("b"))).toBe(false);

    expect([allowed.connections(), canary.connections()]).toEqual([1, 0]);
  });

  test("is passed over where its name leads elsewhere too", async () => {
    const allowed = await endpoint(undefined, "127.0.0.2");
    const { push } = pusher({
      allowLoopback: false,
      allowTargets: ["127.0.0.2"],
      lookup: leadsTo(["127.0.0.1", "127.0.0.2"]),
    });

    expect(await push.push(`http://name.example:${allowed.port}/`, execute("a"))).toBe(true);
  });
});

describe("a token", () => {
  const bearer = (token: () => string | Promise<string>, hosts: string[]) =>
    ({ auth: { mode: "bearer", token, hosts } }) as const;

  test("goes to the hosts it is meant for and to no other", async () => {
    const [meant, other] = [await endpoint(), await endpoint()];
    const { push } = pusher(bearer(() => "t0ken", [`127.0.0.1:${meant.port}`]));

    await push.push(meant.url, execute("a"));
    await push.push(other.url, execute("a"));

    expect(meant.received[0]?.headers.authorization).toBe("Bearer t0ken");
    expect(other.received[0]?.headers.authorization).toBeUndefined();
  });

  test.each([
    ["fails", () => Promise.reject(new Error("no token"))],
    ["has none", () => ""],
  ])(
    "whose provider %s is not gone without: nothing is sent, an error says so, and it is tried again",
    async (_, fail) => {
      const meant = await endpoint();
      const tokens = [fail, () => "t0ken"];
      const { push, logs } = pusher(bearer(() => (tokens.shift() ?? fail)(), ["127.0.0.1"]));

      expect(await push.push(meant.url, execute("a"))).toBe(false);
      expect(meant.connections()).toBe(0);
      expect(logs).toMatchObject([{ level: "error", fields: { message: "execute a 1" } }]);

      expect(await push.push(meant.url, execute("a"))).toBe(true);
      expect(JSON.stringify(logs)).not.toContain("t0ken");
    },
  );
});

test("closing twice is closing once, and nothing is sent afterwards", async () => {
  const { url, connections } = await endpoint();
  const { push } = pusher();
  await push.close();
  await push.close();

  expect(await push.push(url, execute("a"))).toBe(false);
  expect(connections()).toBe(0);
});
