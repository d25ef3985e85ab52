import { type PromiseRecord, type Refusal, type Request, TAG } from "@resonate-ts/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { isResonateError, ServerUnreachableError } from "../../src/errors.ts";
import type { Logger } from "../../src/logger.ts";
import { makeRequest } from "../../src/network/envelope.ts";
import { HttpNetwork, type HttpNetworkOptions } from "../../src/network/http.ts";
import { FakeServer, type FakeServerOptions } from "./fake-server.ts";

const BATCH = "batch, lease, delta, something-new";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await FakeServer.start(options);
  closers.push(() => server.close());
  return server;
}

function connect(url: string, options: Partial<HttpNetworkOptions> = {}): HttpNetwork {
  const network = new HttpNetwork({ url, group: "g", pid: "p", ...options });
  closers.push(() => network.stop());
  return network;
}

const get = (id: string) => makeRequest("promise.get", { id });
const acquire = () => makeRequest("task.acquire", { id: "t", version: 3, pid: "p", ttl: 1_000 });

function idsOf(post: Request | Request[] | undefined): string[] {
  return [post ?? []].flat().map(({ data }) => ("id" in data ? data.id : "?"));
}

function promise(id: string, fields: Partial<PromiseRecord> = {}): PromiseRecord {
  return {
    id,
    state: "pending",
    param: {},
    value: {},
    tags: {},
    timeoutAt: 9,
    createdAt: 1,
    ...fields,
  };
}

describe("a request", () => {
  test("is answered by the envelope of its own kind and id", async () => {
    const server = await serve({ reply: () => ({ status: 200, data: { promise: promise("a") } }) });
    const network = connect(server.url);
    const request = get("a");

    const answer = await network.send(request);

    expect(answer.data).toEqual({ promise: promise("a") });
    expect(server.posts).toEqual([request]);
  });

  test("carries the token in its head and in the header", async () => {
    const server = await serve();
    const network = connect(server.url, { token: "jwt" });

    await network.send(get("a"));

    expect(server.requests[0]?.head.auth).toBe("jwt");
    expect(server.headers[0]?.authorization).toBe("Bearer jwt");
  });

  test("is refused with the server's status and message, and not sent again", async () => {
    const server = await serve({ reply: () => ({ status: 404, data: "promise not found" }) });
    const network = connect(server.url);

    const answer = (await network.send(get("a"))) as Refusal;

    expect([answer.head.status, answer.data]).toEqual([404, "promise not found"]);
    expect(server.posts).toHaveLength(1);
  });

  test.each([400, 401, 403, 405, 410, 413])("is refused by a bare %d too", async (status) => {
    const server = await serve({ raw: () => ({ status, text: " not\nhere " }) });
    const network = connect(server.url);

    const answer = (await network.send(get("a"))) as Refusal;

    expect([answer.head.status, answer.data]).toEqual([status, "not here"]);
    expect(server.posts).toHaveLength(1);
  });

  test.each([
    [429, undefined],
    [500, undefined],
    [502, "Bad Gateway"],
    [503, undefined],
    [504, "gateway"],
    [404, "<html>nothing here</html>"],
    [200, "it works!"],
  ])("that got %d (%s) is sent again", async (status, text) => {
    const server = await serve({
      raw: (post) => (post === 1 && text ? { status, text } : undefined),
      reply: (_, post) => (post === 1 ? { status, data: "later" } : { status: 200, data: {} }),
    });
    const network = connect(server.url);

    const answer = await network.send(get("a"));

    expect(answer.head.status).toBe(200);
    expect(server.posts).toHaveLength(2);
    expect(server.posts[1]).toEqual(server.posts[0]);
  });

  test.each([
    ["another kind", { kind: "promise.create" }],
    ["another corrId", { head: { corrId: "x", status: 200, version: "2026-04-01" } }],
    ["a success without data", { data: "text" }],
  ])("is not answered by an envelope with %s", async (_name, wrong) => {
    const server = await serve({
      raw: (post, body) => {
        const { kind, head } = body as Request;
        const right = { kind, head: { ...head, status: 200 }, data: {} };
        return post === 1
          ? { status: 200, text: JSON.stringify({ ...right, ...wrong }) }
          : undefined;
      },
    });
    const network = connect(server.url);

    await network.send(get("a"));

    expect(server.posts).toHaveLength(2);
  });

  test("whose connection is cut is sent again", async () => {
    const server = await serve({
      reply: (_, post) => (post === 1 ? "cut" : { status: 200, data: {} }),
    });

    const answer = await connect(server.url).send(get("a"));

    expect(answer.head.status).toBe(200);
  });

  test("that is not answered in time is sent again", async () => {
    const never = new Promise<never>(() => {});
    const server = await serve({
      reply: (_, post) => (post === 1 ? never : { status: 200, data: {} }),
    });

    const answer = await connect(server.url, { timeoutMs: 50 }).send(get("a"));

    expect(answer.head.status).toBe(200);
  });

  test("that nobody answers ends as ServerUnreachableError with the address and the cause", async () => {
    const server = await serve();
    const { url } = server;
    await server.close();
    const network = connect(url, { giveUpMs: 20 });

    const error: unknown = await network.send(get("a")).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(ServerUnreachableError);
    expect(error).toMatchObject({ url, cause: { code: "ECONNREFUSED" } });
    expect((error as Error).message).toContain(url);
  });

  test("waits for a server that starts late", async () => {
    const first = await serve();
    const { port, url } = first;
    await first.close();
    const lines: string[] = [];
    const warned = Promise.withResolvers<void>();
    const network = connect(url, { logger: logTo(lines, warned.resolve) });

    const answer = network.send(get("a"));
    await warned.promise;
    await serve({ port });

    expect((await answer).head.status).toBe(200);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(url);
    expect(lines[1]).toContain("answers again");
  });

  test("is not taken after stop", async () => {
    const network = connect((await serve()).url);
    await network.stop();

    const error: unknown = await network.send(get("a")).catch((thrown) => thrown);

    expect(isResonateError(error, "STOPPED")).toBe(true);
  });

  test("that is under way is answered before stop ends", async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({
      reply: async () => {
        await release.promise;
        return { status: 200, data: {} };
      },
    });
    const network = connect(server.url);
    const answer = network.send(get("a"));
    await server.until(() => server.posts.length === 1);

    const stopped = network.stop();
    release.resolve();
    await stopped;

    expect((await answer).head.status).toBe(200);
  });

  test("goes to the path of the address, if it has one", async () => {
    const server = await serve();
    const network = connect(`${server.url}/base/`);
    await network.init();
    await network.send(get("a"));

    expect(server.polls[0]?.url).toBe("/base/poll/g/p");
  });
});

describe("with a server that takes batches", () => {
  test("requests of one turn travel together, in order, once the server is known", async () => {
    const server = await serve({ extensions: BATCH });
    const network = connect(server.url);
    await network.init();

    await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(server.posts).toHaveLength(1);
    expect(idsOf(server.posts[0])).toEqual(["a", "b", "c"]);
    expect([...network.extensions]).toEqual(["batch", "lease", "delta"]);
  });

  test("nothing of it is used where extensions are switched off", async () => {
    const server = await serve({ extensions: BATCH });
    const network = connect(server.url, { extensions: false });
    await network.init();

    await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(server.posts.map(idsOf).sort()).toEqual([["a"], ["b"], ["c"]]);
    expect([...network.extensions]).toEqual([]);
    const [poll] = server.polls;
    expect(Object.keys(poll?.headers ?? {}).filter((name) => name.startsWith("resonate"))).toEqual(
      [],
    );
  });

  test("the first request goes alone while nothing is known of the server", async () => {
    const server = await serve({ extensions: BATCH });
    const network = connect(server.url);

    await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(server.posts.map(idsOf)).toEqual([["a"], ["b", "c"]]);
  });

  test("what is sent while one is under way goes into the next", async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({
      extensions: BATCH,
      reply: async (_, post) => {
        if (post === 1) await release.promise;
        return { status: 200, data: {} };
      },
    });
    const network = connect(server.url);
    await network.init();
    const first = network.send(get("a"));
    await server.until(() => server.posts.length === 1);
    const later = ["b", "c"].map((id) => network.send(get(id)));

    release.resolve();
    await Promise.all([first, ...later]);

    expect(server.posts.map(idsOf)).toEqual([["a"], ["b", "c"]]);
  });

  test("at most 1,000 requests and 1.5 MiB go together, and one that is larger goes alone", async () => {
    const server = await serve({ extensions: BATCH });
    const network = connect(server.url);
    await network.init();
    const large = (id: string, bytes: number) =>
      makeRequest("promise.settle", { id, state: "resolved", value: { data: "x".repeat(bytes) } });

    await Promise.all([
      ...Array.from({ length: 1_001 }, (_, i) => network.send(get(`n${i}`))),
      network.send(large("half", 800_000)),
      network.send(large("other half", 800_000)),
      network.send(large("huge", 1_900_000)),
    ]);

    const lengths = server.posts.map((post) => idsOf(post).length);
    expect(lengths).toEqual([1_000, 2, 1, 1]);
  });

  test("one whose answer may have been lost is sent again in the words given for that", async () => {
    const server = await serve({
      extensions: BATCH,
      raw: (post) => (post === 1 ? { status: 502, text: "Bad Gateway" } : undefined),
    });
    const network = connect(server.url);
    await network.init();

    const answer = network.send(get("a"), () => get("b"));
    const plain = network.send(get("c"));

    expect((await answer).head.status).toBe(200);
    expect((await plain).head.status).toBe(200);
    expect(server.posts.map(idsOf)).toEqual([
      ["a", "c"],
      ["b", "c"],
    ]);
  });

  test("each gets its own answer", async () => {
    const server = await serve({
      extensions: BATCH,
      reply: ({ data }) =>
        "id" in data && data.id === "b" ? { status: 404, data: "no b" } : { status: 200, data: {} },
    });
    const network = connect(server.url);
    await network.init();

    const answers = await Promise.all(["a", "b"].map((id) => network.send(get(id))));

    expect(answers.map(({ head }) => head.status)).toEqual([200, 404]);
  });

  test("one that the server cannot serve now is sent again alone, and holds up nothing", async () => {
    const server = await serve({
      extensions: BATCH,
      reply: ({ data }, post) =>
        "id" in data && data.id === "b" && post === 1
          ? { status: 503, data: "busy" }
          : { status: 200, data: {} },
    });
    const network = connect(server.url);
    await network.init();

    const answers = await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(answers.map(({ head }) => head.status)).toEqual([200, 200, 200]);
    expect(server.posts.map(idsOf)).toEqual([["a", "b", "c"], ["b"]]);
  });

  test("when the server can serve none of them now, all are sent again together, in order", async () => {
    const server = await serve({
      extensions: BATCH,
      reply: (_, post) => ({ status: post === 1 ? 503 : 200, data: post === 1 ? "busy" : {} }),
    });
    const network = connect(server.url);
    await network.init();

    await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(server.posts.map(idsOf)).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  test("what a proxy says in between does not change what the server is known to have", async () => {
    const known: boolean[] = [];
    const server = await serve({
      extensions: BATCH,
      raw: (post) => (post === 1 ? { status: 502, text: "Bad Gateway" } : undefined),
      reply: () => {
        known.push(network.extensions.has("delta"));
        return { status: 200, data: {} };
      },
    });
    const network = connect(server.url);
    await network.init();

    await network.send(get("a"));

    expect(server.posts).toHaveLength(2);
    expect(known).toEqual([true]);
  });

  test("a batch that is refused as such is sent one by one, in order", async () => {
    const server = await serve({
      extensions: BATCH,
      raw: (_, body) => (Array.isArray(body) ? { status: 413, text: "too large" } : undefined),
    });
    const network = connect(server.url);
    await network.init();

    await Promise.all(["a", "b", "c"].map((id) => network.send(get(id))));

    expect(server.posts.map(idsOf)).toEqual([["a", "b", "c"], ["a"], ["b"], ["c"]]);
  });

  test("a heartbeat does not wait for a batch", async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({
      extensions: BATCH,
      reply: async ({ kind }) => {
        if (kind === "promise.get") await release.promise;
        return { status: 200, data: {} };
      },
    });
    const network = connect(server.url);
    await network.init();
    const slow = network.send(get("a"));
    const heartbeat = makeRequest("task.heartbeat", { pid: "p", tasks: [{ id: "t", version: 1 }] });

    expect((await network.send(heartbeat)).head.status).toBe(200);

    release.resolve();
    await slow;
  });

  test("a batch that failed as a whole is sent again before what came later", async () => {
    const server = await serve({
      extensions: BATCH,
      reply: (_, post) => (post === 1 ? "cut" : { status: 200, data: {} }),
    });
    const network = connect(server.url);
    await network.init();
    const first = ["a", "b"].map((id) => network.send(get(id)));
    await server.until(() => server.posts.length === 1);

    await Promise.all([...first, network.send(get("c"))]);

    expect(server.posts.map(idsOf)).toEqual([["a", "b"], ["a", "b"], ["c"]]);
  });
});

describe("with a server that takes no batches", () => {
  test("the requests of one tree follow each other, and trees do not wait for each other", async () => {
    const release = Promise.withResolvers<void>();
    const server = await serve({
      reply: async ({ data }) => {
        if ("id" in data && data.id === "a:0") await release.promise;
        return { status: 200, data: {} };
      },
    });
    const network = connect(server.url);
    await network.init();

    const slow = ["a:0", "a:1"].map((id) => network.send(get(id)));
    await network.send(get("b"));
    expect(server.requests.flatMap(idsOf).sort()).toEqual(["a:0", "b"]);

    release.resolve();
    await Promise.all(slow);
    expect(server.requests.flatMap(idsOf)).toContain("a:1");
  });

  test("a listener is registered after the promise it is for has been created", async () => {
    const server = await serve();
    const network = connect(server.url);
    await network.init();
    const created = { id: "a", timeoutAt: 9, param: {}, tags: {} };

    await Promise.all([
      network.send(makeRequest("promise.create", created)),
      network.send(makeRequest("promise.register_listener", { awaited: "a", address: "x" })),
    ]);

    expect(server.requests.map(({ kind }) => kind)).toEqual([
      "promise.create",
      "promise.register_listener",
    ]);
  });
});

describe("a 409 after a lost answer", () => {
  /** Applies the first request but cuts its connection, answers it 409 from then on, and shows these records. */
  function losing(kind: Request["kind"], records: Partial<Record<Request["kind"], unknown>>) {
    return serve({
      reply: (request, post) => {
        if (post === 1) return "cut";
        if (request.kind === kind) return { status: 409, data: "conflict" };
        return { status: 200, data: records[request.kind] };
      },
    });
  }

  const task = (fields: object) => ({
    task: { id: "t", state: "acquired", version: 4, pid: "p", ttl: 1_000, resumes: 0, ...fields },
  });
  const root = promise("t", { tags: { [TAG.branch]: "t" } });
  const child = promise("t:0", { state: "resolved", settledAt: 2 });

  test("to an acquire is the claim, with its preload, when it is ours at the next version", async () => {
    const server = await losing("task.acquire", {
      "task.get": task({}),
      "promise.get": { promise: root },
      "promise.search": { promises: [root, child] },
    });

    const answer = await connect(server.url).send(acquire());

    expect(answer.head.status).toBe(200);
    expect(answer.data).toEqual({ ...task({}), promise: root, preload: [child] });
  });

  test.each([
    ["another process holds it", { pid: "q" }],
    ["another version is held", { version: 5 }],
    ["nobody holds it", { state: "pending" }],
  ])("to an acquire is a refusal when %s", async (_name, fields) => {
    const server = await losing("task.acquire", { "task.get": task(fields) });

    const answer = await connect(server.url).send(acquire());

    expect([answer.head.status, answer.data]).toEqual([409, "conflict"]);
  });

  test("to a create with a claim is the claim when it is ours at version 1", async () => {
    const data = { id: "t", timeoutAt: 9, param: {}, tags: { [TAG.target]: "poll://any@g" } };
    const action = { kind: "promise.create", data } as const;
    const server = await losing("task.create", {
      "task.get": task({ version: 1 }),
      "promise.get": { promise: promise("t") },
    });

    const answer = await connect(server.url).send(
      makeRequest("task.create", { pid: "p", ttl: 1_000, action }),
    );

    expect(answer.data).toEqual({ ...task({ version: 1 }), promise: promise("t"), preload: [] });
  });

  test.each([
    ["is the promise when it is settled", "resolved", 200],
    ["is a refusal when it is not", "pending", 409],
  ] as const)("to a fulfil %s", async (_name, state, status) => {
    const record = promise("t", { state });
    const server = await losing("task.fulfill", { "promise.get": { promise: record } });
    const data = { id: "t", state: "resolved", value: {} } as const;

    const answer = await connect(server.url).send(
      makeRequest("task.fulfill", {
        id: "t",
        version: 4,
        action: { kind: "promise.settle", data },
      }),
    );

    expect(answer.head.status).toBe(status);
  });

  test.each([
    ["is a success when the task is parked at this version", { state: "suspended" }, 200],
    ["is a refusal when the task is offered again", { state: "pending" }, 409],
    ["is a refusal when it is parked at a later version", { state: "suspended", version: 5 }, 409],
  ])("to a suspend %s", async (_name, fields, status) => {
    const server = await losing("task.suspend", { "task.get": task(fields) });
    const data = { awaited: "t:0", awaiter: "t" };
    const actions = [{ kind: "promise.register_callback", data } as const];

    const answer = await connect(server.url).send(
      makeRequest("task.suspend", { id: "t", version: 4, actions }),
    );

    expect(answer.head.status).toBe(status);
  });

  test("is looked at too when it was sent once: something on the way may have sent it again", async () => {
    const server = await serve({
      reply: ({ kind }) =>
        kind === "promise.get"
          ? { status: 200, data: { promise: promise("t", { state: "resolved" }) } }
          : { status: 409, data: "Task is not acquired" },
    });

    const answer = await connect(server.url).send(
      makeRequest("task.fulfill", {
        ...{ id: "t", version: 4 },
        action: { kind: "promise.settle", data: { id: "t", state: "resolved", value: {} } },
      }),
    );

    expect(answer.head.status).toBe(200);
    expect(server.requests.map(({ kind }) => kind)).toEqual(["task.fulfill", "promise.get"]);
  });

  test("is a plain refusal where nothing could have been lost", async () => {
    const server = await serve({ reply: () => ({ status: 409, data: "Task is not held" }) });

    const answer = await connect(server.url).send(
      makeRequest("task.release", { id: "t", version: 4 }),
    );

    expect(answer.head.status).toBe(409);
    expect(server.posts).toHaveLength(1);
  });
});

test("a name is the address of a group, and an address stays as it is", () => {
  const network = connect("http://127.0.0.1:1", { group: "my group", pid: "p/1" });

  expect(network.match("billing")).toBe("poll://any@billing");
  expect(network.match("poll://uni@g/p")).toBe("poll://uni@g/p");
  expect(network.match("https://example.org/x")).toBe("https://example.org/x");
  expect(network.unicast).toBe("poll://uni@my%20group/p%2F1");
  expect(network.anycast).toBe("poll://any@my%20group/p%2F1");
});

test.each(["localhost:8001", "ftp://host", ""])("'%s' is not the address of a server", (url) => {
  expect(() => connect(url)).toThrow(/must look like http/);
});

function logTo(lines: string[], first: () => void): Logger {
  const log = (_fields: object, message: string) => {
    lines.push(message);
    first();
  };
  return { debug: log, info: log, warn: log, error: log };
}

test.each([
  "http://user:secret@localhost:8001",
  "http://secret@localhost",
  "user:secret@localhost",
])("an address with a user or a password in it is refused, and not repeated: %s", (url) => {
  const open = () => new HttpNetwork({ url, group: "g", pid: "p" });

  expect(open).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID" }));
  expect(open).toThrow(/^(?!.*secret)/s);
});
