import { type RequestKind, TAG } from "@resonate-ts/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RULES, type Rule } from "../../src/http/authorization.ts";
import { type Answer, ask, eventually, Stream, start, type TestServer } from "./harness.ts";
import { type KeyFile, keyFile, tokenOf } from "./tokens.ts";

const target = { [TAG.target]: "poll://any@acme" };
const created = { id: "acme:1", timeoutAt: 9, tags: target };
const settled = { id: "acme:1", state: "resolved", value: {} };
const action = (kind: string, data: object) => ({ kind, head: {}, data });

/** A request of every kind that touches nothing outside of `acme`; the state of all kinds is tried. */
const OWN: Readonly<Record<RequestKind, readonly object[]>> = {
  "promise.get": [{ id: "acme" }],
  "promise.create": [created],
  "promise.settle": [settled],
  "promise.register_callback": [{ awaited: "acme:1", awaiter: "acme" }],
  "promise.register_listener": [{ awaited: "acme", address: "poll://uni@acme.g/p" }],
  "promise.search": [{}],
  "task.get": [{ id: "acme" }],
  "task.create": [{ pid: "p", ttl: 1, action: action("promise.create", created) }],
  "task.acquire": [{ id: "acme", version: 0, pid: "p", ttl: 1 }],
  "task.fence": [
    { id: "acme", version: 1, action: action("promise.create", created) },
    { id: "acme", version: 1, action: action("promise.settle", settled) },
    {
      id: "acme",
      version: 1,
      action: action("promise.settle", settled),
      // biome-ignore lint/suspicious/noThenProperty: the wire's name.
      then: action("promise.create", { ...created, id: "acme:2" }),
    },
  ],
  "task.heartbeat": [{ pid: "p", tasks: ["acme", "acme/1"].map((id) => ({ id, version: 1 })) }],
  "task.suspend": [
    {
      id: "acme",
      version: 1,
      actions: ["acme:1", "acme:2"].map((awaited) =>
        action("promise.register_callback", { awaited, awaiter: "acme" }),
      ),
    },
  ],
  "task.fulfill": [
    { id: "acme", version: 1, action: action("promise.settle", { ...settled, id: "acme" }) },
  ],
  "task.release": [{ id: "acme", version: 1 }],
  "task.halt": [{ id: "acme" }],
  "task.continue": [{ id: "acme" }],
  "task.search": [{}],
  "worker.announce": [{ group: "acme", pid: "p", ttl: 1, slots: 1, functions: { f: [1] } }],
  "schedule.create": [
    {
      id: "acme.s",
      cron: "* * * * *",
      promiseId: "{{.id}}-{{.timestamp}}",
      promiseTimeout: 1,
      promiseTags: target,
    },
    {
      id: "acme.s",
      cron: "* * * * *",
      promiseId: "acme.{{.timestamp}}",
      promiseTimeout: 1,
      promiseTags: target,
    },
  ],
  "schedule.get": [{ id: "acme.s" }],
  "schedule.delete": [{ id: "acme.s" }],
  "schedule.search": [{}],
};

/** Outside of the prefix `acme`, however much some look like it. */
const FOREIGN = [
  "acme2",
  "ACME",
  "Acme:1",
  "acm",
  "acme%2f1",
  "acme-1",
  "acme_1",
  "acme 1",
  " acme",
  "acme\u200b:1",
  "асme", // The first two letters are Cyrillic.
  "acme\u0301",
  "other",
  "../acme",
  "other/../acme",
];

type Path = readonly (string | number)[];

/** Every field that has a rule other than `free`, and the lists in which it stands. */
function* guarded(rule: Rule, data: unknown, path: Path = []): Generator<[Path, Rule]> {
  if (rule === "free") return;
  if (typeof rule === "string") {
    yield [path, rule];
    return;
  }
  if (Array.isArray(rule)) {
    for (const [at, one] of (data as unknown[]).entries()) {
      yield* guarded(rule[0], one, [...path, at]);
    }
    return;
  }
  for (const [field, inner] of Object.entries(rule)) {
    const value = (data as Record<string, unknown> | undefined)?.[field];
    yield* guarded(inner, value, [...path, field]);
  }
}

/** Ways to put `foreign` into a field. */
function poisons(rule: Rule, foreign: string): unknown[] {
  switch (rule) {
    case "id":
    case "group":
      return [foreign];
    case "template":
      return [foreign, `${foreign}{{.timestamp}}`, "{{.timestamp}}", "acme{{.timestamp}}"];
    case "address":
      return [
        `poll://any@${encodeURIComponent(foreign)}`,
        `poll://uni@${encodeURIComponent(foreign)}/p`,
      ];
    case "tags":
      return [
        ...[TAG.origin, TAG.branch, TAG.parent, TAG.caller, TAG.prefix, TAG.schedule].map(
          (name) => ({ ...target, [name]: foreign }),
        ),
        { [TAG.target]: `poll://any@${encodeURIComponent(foreign)}` },
      ];
    default:
      throw new Error(`no poison for ${JSON.stringify(rule)}`);
  }
}

/** `data` with another value at `path`. */
function put(data: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const copy = structuredClone(data ?? {}) as Record<string | number, unknown>;
  copy[step] = put(copy[step], rest, value);
  return copy;
}

const kinds = Object.keys(RULES) as RequestKind[];
const everything = kinds.filter((kind) => RULES[kind] === "everything");
const matrix = kinds.flatMap((kind) => {
  const rule = RULES[kind];
  if (rule === "everything") return [];
  return OWN[kind].flatMap((data) =>
    [...guarded(rule, data)].map(([path, leaf]) => ({ kind, data, path, leaf })),
  );
});

let file: KeyFile;
let server: TestServer;
let token: string;

beforeAll(async () => {
  file = keyFile();
  token = await tokenOf({ prefix: "acme" });
});
afterAll(() => file.remove());
beforeEach(async () => {
  server = await start({ "auth.publickey": file.path, debug: "true" });
});
afterEach(() => server.close());

const authorization = (bearer: string) => ({ authorization: `Bearer ${bearer}` });

function post(kind: string, data: unknown, bearer = token): Promise<Answer> {
  const envelope = { kind, head: { corrId: "c", version: "2026-04-01" }, data };
  return ask(server, { body: JSON.stringify(envelope), headers: authorization(bearer) });
}

async function postAll(entries: readonly { kind: string; data: unknown }[]) {
  const head = { corrId: "c", version: "2026-04-01" };
  const statuses: { status: number; data: unknown }[] = [];
  for (let from = 0; from < entries.length; from += 1_000) {
    const batch = entries.slice(from, from + 1_000).map((entry) => ({ ...entry, head }));
    const { text } = await ask(server, {
      body: JSON.stringify(batch),
      headers: authorization(token),
    });
    for (const { head, data } of JSON.parse(text)) statuses.push({ status: head.status, data });
  }
  return statuses;
}

test("what is guarded, field by field", () => {
  const guardedOf = (kind: RequestKind) => {
    const paths = matrix.filter((one) => one.kind === kind).map(({ path }) => path.join("."));
    return [...new Set(paths)].join(" ");
  };

  expect(Object.fromEntries(kinds.map((kind) => [kind, guardedOf(kind)]))).toEqual({
    "promise.get": "id",
    "promise.create": "id tags",
    "promise.settle": "id",
    "promise.register_callback": "awaited awaiter",
    "promise.register_listener": "awaited address",
    "promise.search": "",
    "task.get": "id",
    "task.create": "action.data.id action.data.tags",
    "task.acquire": "id",
    "task.fence": "id action.data.id action.data.tags then.data.id then.data.tags",
    "worker.announce": "group",
    "task.heartbeat": "tasks.0.id tasks.1.id",
    "task.suspend":
      "id actions.0.data.awaited actions.0.data.awaiter actions.1.data.awaited actions.1.data.awaiter",
    "task.fulfill": "id action.data.id",
    "task.release": "id",
    "task.halt": "id",
    "task.continue": "id",
    "task.search": "",
    "schedule.create": "id promiseId promiseTags",
    "schedule.get": "id",
    "schedule.delete": "id",
    "schedule.search": "",
  });
  expect(everything).toEqual(["promise.search", "task.search", "schedule.search"]);
});

describe.each(matrix.map((one) => [one.kind, one.path.join("."), one] as const))(
  "%s with %s of somebody else",
  (_kind, _path, { kind, data, path, leaf }) => {
    test("is 403, however it is spelled, and does nothing", async () => {
      const entries = FOREIGN.flatMap((foreign) =>
        poisons(leaf, foreign).map((value) => ({ kind, data: put(data, path, value) })),
      );

      const answers = await postAll(entries);

      expect(answers.filter(({ status }) => status !== 403)).toEqual([]);
      expect(new Set(answers.map(({ data }) => data))).toEqual(new Set(["Forbidden"]));
      expect(server.engine.processed).toEqual([]);
    });
  },
);

test.each(kinds.filter((kind) => !everything.includes(kind)))(
  "%s of one's own is let through",
  async (kind) => {
    const statuses = await postAll(OWN[kind].map((data) => ({ kind, data })));

    expect(statuses.map(({ status }) => status)).toEqual(OWN[kind].map(() => 200));
  },
);

test.each(["acme", "acme:1", "acme.1", "acme/1", "acme:1.2", "acme/../other", "acme:é"])(
  "the prefix acme opens '%s'",
  async (id) => {
    expect((await post("promise.get", { id })).status).toBe(200);
  },
);

test.each([
  ["acme/", ["acme/", "acme/1"], ["acme", "acme:1"]],
  ["acme-", ["acme-1"], ["acme", "acme"]],
  ["é", ["é", "é:1"], ["e\u0301", "e\u0301:1", "ê"]],
  ["1", ["1", "1:0"], ["1700000000000", "10"]],
])("the prefix %s opens what it should", async (prefix, own, foreign) => {
  const bearer = await tokenOf({ prefix });
  const statuses = (ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await post("promise.get", { id }, bearer)).status));

  expect(await statuses(own)).toEqual(own.map(() => 200));
  expect(await statuses(foreign)).toEqual(foreign.map(() => 403));
});

test("a template whose ids may begin with anything is nobody's", async () => {
  const schedule = {
    id: "1",
    cron: "* * * * *",
    promiseTimeout: 1,
    promiseTags: { [TAG.target]: "poll://any@1" },
  };
  const bearer = await tokenOf({ prefix: "1" });

  expect(
    (await post("schedule.create", { ...schedule, promiseId: "{{.timestamp}}" }, bearer)).status,
  ).toBe(403);
  expect(
    (await post("schedule.create", { ...schedule, promiseId: "1.{{.timestamp}}" }, bearer)).status,
  ).toBe(200);
});

test("the target of a timer is not looked at: some SDKs give every sleep the same one", async () => {
  const tags = { [TAG.timer]: "true", [TAG.target]: "poll://any@default" };

  expect((await post("promise.create", { ...created, tags })).status).toBe(200);
  expect(
    (await post("promise.create", { ...created, tags: { ...tags, [TAG.timer]: "yes" } })).status,
  ).toBe(403);
});

describe("kinds that are made from all there is", () => {
  test.each([...everything, "debug.snap", "debug.reset", "debug.x", "nonsense", "__proto__"])(
    "%s is 403 with a prefix",
    async (kind) => {
      expect((await post(kind, {})).status).toBe(403);
    },
  );
});

test("who may not see an id does not learn that its request is malformed", async () => {
  expect((await post("promise.create", { id: "other", timeoutAt: "x" })).status).toBe(403);
  expect((await post("promise.create", { id: "acme", timeoutAt: "x" })).status).toBe(400);
  expect((await post("promise.get", { id: 7 })).status).toBe(400);
  expect((await post("task.heartbeat", { pid: "p", tasks: "x" })).status).toBe(400);
});

describe("claims", () => {
  test.each([
    ["no claims", {}, 403],
    ["a prefix of null", { prefix: null }, 403],
    ["a prefix that is a list", { prefix: ["acme"] }, 403],
    ["the role of somebody else", { role: "administrator" }, 403],
    ["the empty prefix", { prefix: "" }, 200],
    ["the role admin", { role: "ADMIN" }, 200],
    ["the role admin and a prefix", { role: "admin", prefix: "acme" }, 200],
  ])("%s opens or does not", async (_name, claims, status) => {
    const bearer = await tokenOf(claims);

    expect((await post("promise.get", { id: "other" }, bearer)).status).toBe(status);
    expect((await post("promise.search", {}, bearer)).status).toBe(status);
    const metrics = await ask(server, {
      method: "GET",
      path: "/metrics",
      headers: authorization(bearer),
    });
    expect(metrics.status).toBe(status);
  });
});

describe("a stream", () => {
  const open = (group: string, bearer = token) =>
    ask(server, { method: "GET", path: `/poll/${group}/p`, headers: authorization(bearer) });

  test.each([...FOREIGN.map(encodeURIComponent), "any", "*", "default", "%61cme2"])(
    "of group %s is 403 to the prefix acme",
    async (group) => {
      const { status, text } = await open(group);

      expect([status, text]).toEqual([403, '{"error":"Forbidden"}']);
      expect(server.engine.connections).toBe(0);
    },
  );

  test.each(["acme", "acme.workers", "%61cme"])("of group %s is its own", async (group) => {
    const path = `/poll/${group}/p`;

    expect((await Stream.open(server, path, authorization(token))).response.statusCode).toBe(200);
  });

  test("more of them than a prefix may have are 429, and others have room", async () => {
    await server.close();
    server = await start({ "auth.publickey": file.path, "limits.streams_per_prefix": "2" });
    const other = await tokenOf({ prefix: "other" });
    const path = (at: number) => `/poll/acme/p${at}`;
    const first = await Stream.open(server, path(1), authorization(token));
    await Stream.open(server, path(2), authorization(token));

    const refused = await ask(server, {
      method: "GET",
      path: path(3),
      headers: authorization(token),
    });
    const others = await Stream.open(server, "/poll/other/p", authorization(other));
    first.response.destroy();
    await eventually(() => server.engine.connections === 2);
    const again = await Stream.open(server, path(3), authorization(token));

    expect(refused.status).toBe(429);
    expect(refused.headers["retry-after"]).toBe("5");
    expect(refused.text).toContain("limits.streams_per_prefix");
    expect(others.response.statusCode).toBe(200);
    expect(again.response.statusCode).toBe(200);
  });
});
