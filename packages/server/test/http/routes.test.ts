import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ask, ask, envelope, FakeEngine, start, type TestServer } from "./harness.ts";

let server: TestServer;

beforeEach(async () => {
  server = await start();
});
afterEach(() => server.close());

test.each<[string, Ask, number]>([
  ["GET /health", { method: "GET", path: "/health" }, 200],
  ["GET /health with a query", { method: "GET", path: "/health?x=1" }, 200],
  ["POST /health", { path: "/health" }, 405],
  ["GET /ready", { method: "GET", path: "/ready" }, 200],
  ["GET /", { method: "GET" }, 405],
  ["PUT /", { method: "PUT" }, 405],
  ["POST /poll/g/p", { path: "/poll/g/p" }, 405],
  ["GET /poll/g", { method: "GET", path: "/poll/g" }, 404],
  ["GET /poll/g/p/x", { method: "GET", path: "/poll/g/p/x" }, 404],
  ["GET /poll/%ff/p", { method: "GET", path: "/poll/%ff/p" }, 400],
  ["GET /nothing", { method: "GET", path: "/nothing" }, 404],
  ["GET /__proto__", { method: "GET", path: "/__proto__" }, 404],
  ["GET /promises/a", { method: "GET", path: "/promises/a" }, 410],
  ["POST /tasks", { path: "/tasks" }, 410],
  ["DELETE /schedules/s", { method: "DELETE", path: "/schedules/s" }, 410],
  ["GET /promisesx", { method: "GET", path: "/promisesx" }, 404],
  ["OPTIONS / without an origin", { method: "OPTIONS" }, 405],
])("%s is answered", async (_name, what, status) => {
  const answer = await ask(server, what);

  expect(answer.status).toBe(status);
  expect(answer.headers["resonate-extensions"]).toBe("batch, lease, delta, claim, then");
  if (answer.text) expect(JSON.parse(answer.text)).toEqual({ error: expect.any(String) });
});

test("a storage that fails is not ready, but the process is healthy", async () => {
  server.engine.before = () => Promise.reject(new Error("disk"));

  expect((await ask(server, { method: "GET", path: "/ready" })).status).toBe(503);
  expect((await ask(server, { method: "GET", path: "/health" })).status).toBe(200);
});

const get = (headers: Record<string, string>) =>
  ask(server, { body: JSON.stringify(envelope()), headers });

describe("a host", () => {
  test.each(["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8001"])(
    "%s is let in",
    async (host) => {
      expect((await get({ host })).status).toBe(200);
    },
  );

  test.each(["evil.example", "evil.example:8001", "localhost.evil.example", "10.0.0.1"])(
    "%s is turned away",
    async (host) => {
      expect((await get({ host })).status).toBe(403);
      expect(server.engine.processed).toEqual([]);
    },
  );

  test("named by server.url is let in", async () => {
    await server.close();
    server = await start({ "server.url": "https://resonate.example" });

    expect((await get({ host: "resonate.example" })).status).toBe(200);
  });
});

describe("a page", () => {
  test.each(["https://evil.example", "null", "http://localhost:1"])(
    "of %s is turned away",
    async (origin) => {
      const answer = await get({ origin });

      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(server.engine.processed).toEqual([]);
    },
  );

  test("of the server itself is let in", async () => {
    expect((await get({ origin: server.url })).status).toBe(200);
  });

  test("of a configured origin is let in, and its browser told so", async () => {
    await server.close();
    server = await start({
      "server.cors.allow_origins": "https://one.example,https://two.example",
    });

    const allowed = await get({ origin: "https://two.example" });
    const foreign = await get({ origin: "https://three.example" });

    expect(allowed.status).toBe(200);
    expect(allowed.headers["access-control-allow-origin"]).toBe("https://two.example");
    expect(allowed.headers["access-control-expose-headers"]).toBe("Resonate-Extensions");
    expect(foreign.status).toBe(403);
  });

  test("may ask beforehand", async () => {
    await server.close();
    server = await start({ "server.cors.allow_origins": "*" });

    const answer = await ask(server, {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-headers": "content-type" },
    });

    expect(answer.status).toBe(204);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(answer.headers["access-control-allow-headers"]).toBe("content-type");
  });
});

describe("closing", () => {
  test("answers what is under way before it closes the engine, and takes nothing more", async () => {
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    server.engine.before = () => {
      reached.resolve();
      return gate.promise;
    };
    const underWay = get({});
    await reached.promise;

    const closed = server.close();

    await expect(get({})).rejects.toThrow("ECONNREFUSED");
    expect(server.engine.closed).toBe(false);
    gate.resolve();
    expect((await underWay).status).toBe(200);
    await closed;
    expect(server.engine.closed).toBe(true);
  });

  test("waits no longer than the shutdown timeout", async () => {
    await server.close();
    server = await start({ "server.shutdown_timeout": "0" });
    const reached = Promise.withResolvers<void>();
    server.engine.before = () => {
      reached.resolve();
      return new Promise(() => {});
    };
    const never = get({}).catch((error: Error) => error);
    await reached.promise;

    await server.close();

    expect(await never).toBeInstanceOf(Error);
  });

  test("twice is closing once", async () => {
    await Promise.all([server.close(), server.close()]);

    await expect(get({})).rejects.toThrow("ECONNREFUSED");
  });
});

test("a port that is taken is named", async () => {
  const { port } = new URL(server.url);

  await expect(start({ "server.port": port }, new FakeEngine())).rejects.toThrow(
    `port ${port} on 127.0.0.1 is in use`,
  );
});
