/** Input that is made to break something: what is accepted comes back as it was sent, and nothing else happens. */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { TAGS_MAX } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BodyReader } from "../../src/http/body.ts";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings } from "../../src/settings.ts";
import { type Answer, ask, silent } from "./harness.ts";

const timeoutAt = 2 ** 50;
const LIMIT = 2 * 1024 * 1024;

let server: RunningServer;

beforeEach(async () => {
  const flags = { "server.port": "0", "storage.type": "memory", debug: "true" };
  server = await serve(readSettings({ flags }), { logger: silent });
});
afterEach(() => server.close());

const envelope = (kind: string, data: unknown) =>
  JSON.stringify({ kind, head: { corrId: "c", version: "2026-04-01" }, data });
const post = (kind: string, data: unknown) => ask(server, { body: envelope(kind, data) });
/** With `data` as it is written. */
const postRaw = (kind: string, data: string) =>
  ask(server, { body: envelope(kind, "DATA").replace('"DATA"', data) });
const dataOf = ({ text }: Answer) => JSON.parse(text).data;

async function count(): Promise<number> {
  return dataOf(await post("debug.snap", {})).promises.length;
}

describe("JSON", () => {
  const STRANGE = [
    ["__proto__ in a request", `{"id":"a","timeoutAt":9,"__proto__":{"polluted":1}}`],
    ["__proto__ for data", `{"id":"a","timeoutAt":9,"param":{"__proto__":{"data":"x"}}}`],
    [
      "constructor.prototype",
      `{"id":"a","timeoutAt":9,"constructor":{"prototype":{"polluted":1}}}`,
    ],
    ["the same member twice", `{"id":"b","id":"a","timeoutAt":1,"timeoutAt":9}`],
    [
      "a hundred thousand members",
      `{"id":"a","timeoutAt":9,"x":{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join()}}}`,
    ],
    [
      "depth in what nobody reads",
      `{"id":"a","timeoutAt":9,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    ],
  ] as const;

  test.each(STRANGE)("with %s changes nothing but what it names", async (_name, data) => {
    const before = Reflect.ownKeys(Object.prototype);

    expect((await postRaw("promise.create", data)).status).toBe(200);

    expect(dataOf(await post("promise.get", { id: "a" })).promise.timeoutAt).toBe(9);
    expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  test.each([
    ["__proto__ for a tag", `{"id":"a","timeoutAt":9,"tags":{"__proto__":"x"}}`, "tags.__proto__"],
    [
      "__proto__ for tags",
      `{"id":"a","timeoutAt":9,"tags":{"__proto__":{"x":"y"}}}`,
      "tags.__proto__",
    ],
    [
      "__proto__ for a header",
      `{"id":"a","timeoutAt":9,"param":{"headers":{"__proto__":"x"}}}`,
      "param.headers.__proto__",
    ],
    ["depth in tags", `{"id":"a","timeoutAt":9,"tags":${deep}}`, "tags.a"],
    ["depth in a payload", `{"id":"a","timeoutAt":9,"param":{"data":${deep}}}`, "param.data"],
    ["depth for data", deep, "id"],
    ["a number beyond all", `{"id":"a","timeoutAt":1e400}`, "timeoutAt"],
    ["a number that is not exact", `{"id":"a","timeoutAt":9007199254740993}`, "timeoutAt"],
    ["a fraction", `{"id":"a","timeoutAt":0.5}`, "timeoutAt"],
    ["half a character", `{"id":"a\\ud800","timeoutAt":9}`, "id"],
    ["NUL", `{"id":"a\\u0000","timeoutAt":9}`, "id"],
    [
      "a hundred thousand tags",
      `{"id":"a","timeoutAt":9,"tags":{${Array.from({ length: 100_000 }, (_, at) => `"t${at}":""`).join()}}}`,
      `tags: must have at most ${TAGS_MAX}`,
    ],
    [
      "a tag of a megabyte",
      `{"id":"a","timeoutAt":9,"tags":{"t":"${"x".repeat(1_000_000)}"}}`,
      "tags.t: must be at most 1024 bytes",
    ],
    [
      "an id of a megabyte",
      `{"id":"${"x".repeat(1_000_000)}","timeoutAt":9}`,
      "id: must be at most 1024 bytes",
    ],
  ])("with %s is 400, names the field, and writes nothing", async (_name, data, field) => {
    const answer = await postRaw("promise.create", data);

    expect(answer.status).toBe(400);
    expect(dataOf(answer)).toContain(`Invalid request: ${field}`);
    expect(answer.text.length).toBeLessThan(1_000);
    expect(await count()).toBe(0);
  });

  test("with minus zero is zero", async () => {
    await postRaw("promise.create", `{"id":"a","timeoutAt":-0}`);

    expect((await post("promise.get", { id: "a" })).text).toContain('"timeoutAt":0');
  });
});

describe("text", () => {
  const IDS = [
    "../../etc/passwd",
    "a%00b",
    "a\r\nX-Evil: 1",
    "\u001b[31mred\u001b[0m",
    "\u202egnp.exe",
    "'; DROP TABLE promises; --",
    "%",
    "_",
    "𝄞".repeat(100),
    "constructor",
    "__proto__",
    " ",
    "\u00e9",
    "e\u0301",
    "\ufeffa",
    "{{.id}}",
    "\u2028",
  ];

  test.each(IDS)("%j comes back as it was sent, as id, tag, payload and search", async (text) => {
    const tags = { own: text, "x y": text };
    await post("promise.create", { id: "other", timeoutAt });
    const param = { headers: { h: text }, data: text };
    const created = await post("promise.create", { id: text, timeoutAt, tags, param });

    const found = await post("promise.search", { idPrefix: text });
    const tagged = await post("promise.search", { tags });

    expect(created.status).toBe(200);
    expect(dataOf(created).promise).toMatchObject({ id: text, tags, param });
    expect(dataOf(found).promises.map(({ id }: { id: string }) => id)).toEqual([text]);
    expect(dataOf(tagged).promises).toHaveLength(1);
    expect(created.headers["x-evil"]).toBeUndefined();
  });

  test.each([
    ["resonate:origin", "victim"],
    ["resonate:branch", "victim"],
    ["resonate:parent", "victim"],
    ["resonate:origin", ""],
    ["resonate:target", "victim"],
  ])("a forged %s is 400", async (name, value) => {
    const answer = await post("promise.create", { id: "mine", timeoutAt, tags: { [name]: value } });

    expect(answer.status).toBe(400);
    expect(dataOf(answer)).toContain(name);
    expect(await count()).toBe(0);
  });

  test("a bad cron, a bad cursor and a template that grows are 400 and name the field", async () => {
    const schedule = {
      id: "s",
      cron: "* * * * *",
      promiseId: "{{.id}}",
      promiseTimeout: 1,
      promiseTags: { "resonate:target": "poll://any@g" },
    };
    const answers = [
      await post("schedule.create", { ...schedule, cron: "61 * * * *" }),
      await post("schedule.create", { ...schedule, cron: "0 0 30 2 *" }),
      await post("schedule.create", {
        ...schedule,
        id: "x".repeat(900),
        promiseId: "{{.id}}{{.id}}",
      }),
      await post("promise.search", { cursor: "?" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    for (const [at, field] of ["cron", "cron", "promiseId", "cursor"].entries()) {
      expect(dataOf(answers[at] as Answer)).toContain(field);
    }
    expect((await post("schedule.get", { id: "s" })).status).toBe(404);
  });
});

describe("a body", () => {
  /** Sends raw text, and gives what comes back until the connection is closed. */
  async function send(...texts: readonly string[]): Promise<string> {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => {});
    for (const text of texts) socket.write(text);
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    return answer;
  }

  const head = (...lines: readonly string[]) =>
    `POST / HTTP/1.1\r\nHost: localhost\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

  test("that says it is too large is 413, unread, and the connection is closed", async () => {
    const answer = await send(head(`Content-Length: ${LIMIT + 1}`));

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain("limits.body_bytes");
    expect(answer).toContain("Connection: close");
  });

  test("with two lengths, or a length and chunks, is refused", async () => {
    for (const lines of [
      ["Content-Length: 1", "Content-Length: 2"],
      ["Content-Length: 1", "Transfer-Encoding: chunked"],
      ["Content-Length: -1"],
      ["Content-Length: 9e9"],
    ]) {
      expect(await send(head(...lines), "1\r\nx\r\n0\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  test("that is longer than it says is not read on as a request", async () => {
    const body = envelope("promise.create", { id: "a", timeoutAt });
    const hidden = "GARBAGE\r\n\r\n";

    const answer = await send(head(`Content-Length: ${body.length}`), body, hidden);

    // What comes after it makes the connection end; by then the request itself may have been taken.
    expect(answer).toMatch(/HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/);
    expect(await count()).toBeLessThanOrEqual(1);
  });

  test.each(["gzip", "br", "deflate", "GZIP", "identity, gzip"])(
    "with Content-Encoding %s is 415, whatever is in it",
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(8 * LIMIT));
      const answer = await ask(server, { body: bomb, headers: { "content-encoding": encoding } });

      expect(answer.status).toBe(415);
      expect(dataOf(answer)).toContain(encoding);
    },
  );

  test("with Content-Encoding identity is read", async () => {
    const body = envelope("promise.create", { id: "a", timeoutAt });

    expect((await ask(server, { body, headers: { "content-encoding": "identity" } })).status).toBe(
      200,
    );
  });

  test("is as large as the limit that is set", async () => {
    await server.close();
    const flags = { "server.port": "0", "storage.type": "memory", "limits.body_bytes": "1024" };
    server = await serve(readSettings({ flags }), { logger: silent });
    const body = envelope("promise.create", { id: "a", timeoutAt });

    expect((await ask(server, { body: body.padEnd(1_024) })).status).toBe(200);
    const refused = await ask(server, { body: body.padEnd(1_025) });
    expect([refused.status, dataOf(refused)]).toEqual([
      413,
      "The body is larger than 1024 bytes (limits.body_bytes)",
    ]);
  });
});

test("bodies that are being read are bounded together, and what was held is given back", async () => {
  const { PassThrough } = await import("node:stream");
  const reader = new BodyReader(100, 150);
  const begin = () => {
    const request = Object.assign(new PassThrough(), { headers: {} });
    // Of a request the reader needs its stream and its headers.
    return { request, body: reader.read(request as never) };
  };
  const [one, two] = [begin(), begin()];

  one.request.write("x".repeat(90));
  two.request.write("x".repeat(90));
  const busy = await two.body;
  const three = begin();
  three.request.end("x".repeat(40));
  const fits = await three.body;
  one.request.end();

  expect(busy).toMatchObject({ kind: "refused", status: 503 });
  expect(fits).toMatchObject({ kind: "text" });
  expect(await one.body).toMatchObject({ kind: "text" });
  const four = begin();
  four.request.end("x".repeat(100));
  expect(await four.body).toMatchObject({ kind: "text" });
});

test("an answer of 503 says when to come again", async () => {
  await server.close();
  const flags = { "server.port": "0", "storage.type": "memory" };
  const { FakeEngine } = await import("./harness.ts");
  const engine = new FakeEngine();
  engine.process = async (requests) =>
    requests.map(({ kind, head }) => ({
      kind,
      head: { corrId: head.corrId, status: 503, version: "2026-04-01" },
      data: "The server is overloaded; try again",
    }));
  server = await serve(readSettings({ flags }), { logger: silent, open: async () => engine });

  const answer = await post("promise.get", { id: "a" });

  expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
});
