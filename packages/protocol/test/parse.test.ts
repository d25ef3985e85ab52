import { describe, expect, test } from "vitest";
import {
  ID_LENGTH_MAX,
  parseDebugData,
  parseEnvelope,
  parseRequest,
  TAG_LENGTH_MAX,
  TAGS_MAX,
} from "../src/parse.ts";
import { PROTOCOL_VERSION } from "../src/requests.ts";

const head = { corrId: "c1", version: PROTOCOL_VERSION };
const target = { "resonate:target": "poll://any@g" };
const create = { id: "a", timeoutAt: 10 };
const settle = { id: "t", state: "resolved" };
const action = (kind: string, data: object) => ({ kind, head: {}, data });
const callback = (awaited: string, awaiter: string) =>
  action("promise.register_callback", { awaited, awaiter });

/** A valid request of every kind. */
const VALID: Readonly<Record<string, object>> = {
  "promise.get": { id: "a" },
  "promise.create": create,
  "promise.settle": settle,
  "promise.register_callback": { awaited: "a", awaiter: "t" },
  "promise.register_listener": { awaited: "a", address: "poll://uni@g/p" },
  "promise.search": {},
  "task.get": { id: "a" },
  "task.create": {
    pid: "p",
    ttl: 1,
    action: action("promise.create", { ...create, tags: target }),
  },
  "task.acquire": { id: "a", version: 0, pid: "p", ttl: 1 },
  "task.fence": { id: "t", version: 1, action: action("promise.create", create) },
  "task.heartbeat": { pid: "p", tasks: [{ id: "a", version: 1 }] },
  "task.suspend": { id: "t", version: 1, actions: [callback("a", "t")] },
  "task.fulfill": { id: "t", version: 1, action: action("promise.settle", settle) },
  "task.release": { id: "a", version: 1 },
  "task.halt": { id: "a" },
  "task.continue": { id: "a" },
  "task.search": {},
  "schedule.create": {
    id: "s",
    cron: "* * * * *",
    promiseId: "{{.id}}",
    promiseTimeout: 0,
    promiseTags: target,
  },
  "schedule.get": { id: "s" },
  "schedule.delete": { id: "s" },
  "schedule.search": {},
};

const parse = (kind: unknown, data: unknown) => parseRequest({ kind, head, data });
const refusal = (kind: string, data: unknown) => {
  const parsed = parse(kind, data);
  return parsed.ok ? "accepted" : parsed.message;
};
const without = (data: object, name: string) =>
  Object.fromEntries(Object.entries(data).filter(([key]) => key !== name));

describe("the envelope", () => {
  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["a text", "{}"],
    ["an array", []],
    ["an empty object", {}],
  ])("%s is refused with kind 'unknown' and corrId '0'", (_, input) => {
    expect(parseRequest(input)).toMatchObject({ ok: false, kind: "unknown", corrId: "0" });
  });

  test.each([
    ["kind", { head, data: {} }],
    ["kind", { kind: "", head, data: {} }],
    ["kind", { kind: 7, head, data: {} }],
    ["head", { kind: "promise.get", data: {} }],
    ["head.corrId", { kind: "promise.get", head: { version: PROTOCOL_VERSION }, data: {} }],
    ["head.version", { kind: "promise.get", head: { corrId: "c" }, data: {} }],
    ["head.auth", { kind: "promise.get", head: { ...head, auth: 7 }, data: {} }],
    ["data", { kind: "promise.get", head }],
    ["data", { kind: "promise.get", head, data: null }],
    ["data", { kind: "promise.get", head, data: [] }],
    ["data", { kind: "promise.get", head, data: "x" }],
  ])("a bad %s is refused by name", (field, input) => {
    const parsed = parseRequest(input);

    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok || parsed.message).toContain(`Invalid request envelope: ${field}`);
  });

  test("kind and corrId are saved from what is otherwise broken", () => {
    expect(parseRequest({ kind: "promise.get", head: { corrId: "c7" } })).toMatchObject({
      kind: "promise.get",
      corrId: "c7",
    });
  });

  test("another version is refused, naming it and the one that exists", () => {
    const parsed = parseRequest({ kind: "nonsense", head: { ...head, version: "1" }, data: {} });

    expect(parsed.ok || parsed.message).toBe("Unsupported version '1'; supported: 2026-04-01");
  });

  test.each(["nonsense", "promise", "constructor", "__proto__", "toString"])(
    "the kind '%s' is refused",
    (kind) => {
      expect(refusal(kind, {})).toBe(`Unknown operation: ${kind}`);
    },
  );

  test("keys that nobody knows are ignored at every level, and null where it may stand is absence", () => {
    const parsed = parseRequest({
      kind: "promise.create",
      extra: 1,
      head: { ...head, auth: null, "resonate:origin": 7, more: {} },
      data: { ...create, param: { headers: null, data: null, x: 1 }, other: true },
    });

    expect(parsed).toEqual({
      ok: true,
      request: {
        kind: "promise.create",
        head: { ...head, auth: undefined },
        data: { ...create, param: {}, tags: {} },
      },
    });
  });

  test.each([
    ["delta", "delta"],
    ["none", "none"],
    ["other", undefined],
    [7, undefined],
  ])("a preload of %s is read as %s", (given, read) => {
    const parsed = parseRequest({
      kind: "promise.get",
      head: { ...head, "resonate:preload": given },
      data: { id: "a" },
    });

    expect(parsed.ok && parsed.request.head["resonate:preload"]).toBe(read);
  });
});

test.each(Object.entries(VALID))("a valid %s is accepted", (kind, data) => {
  expect(parse(kind, data)).toMatchObject({ ok: true, request: { kind, head } });
});

describe("defaults", () => {
  test.each([
    ["promise.search", { limit: 100, tags: {} }],
    ["task.search", { limit: 100 }],
    ["schedule.search", { limit: 10, tags: {} }],
  ])("of %s are %j", (kind, defaults) => {
    for (const given of [{}, { limit: null, cursor: null, state: null, tags: null }]) {
      const parsed = parse(kind, given);
      expect(parsed.ok && JSON.parse(JSON.stringify(parsed.request.data))).toEqual(defaults);
    }
  });

  test("of a settle and a schedule are empty values", () => {
    expect(parse("promise.settle", settle)).toMatchObject({ request: { data: { value: {} } } });
    expect(parse("schedule.create", VALID["schedule.create"])).toMatchObject({
      request: { data: { promiseParam: {} } },
    });
  });
});

/** Fields that must be there, by kind. */
const REQUIRED = Object.entries(VALID).flatMap(([kind, data]) =>
  Object.keys(data).map((field) => [kind, field] as const),
);

test.each(REQUIRED)("%s without %s is refused by name", (kind, field) => {
  expect(refusal(kind, without(VALID[kind] ?? {}, field))).toMatch(`Invalid request: ${field}`);
});

/** A bad value of a field, by kind. The message begins with the field's path. */
const BAD: readonly (readonly [string, string, unknown, string?])[] = [
  ...[
    "promise.get",
    "task.get",
    "task.halt",
    "task.continue",
    "schedule.get",
    "schedule.delete",
  ].map((kind) => [kind, "id", ""] as const),
  ["promise.get", "id", null],
  ["promise.get", "id", 7],
  ["promise.get", "id", "a\0b"],
  ["promise.get", "id", "a\ud800"],
  ["promise.register_listener", "address", "poll://any@\ud800"],
  ["promise.get", "id", "x".repeat(ID_LENGTH_MAX + 1)],
  ["promise.get", "id", "é".repeat(ID_LENGTH_MAX / 2 + 1)],
  ["promise.get", "id", "𝄞".repeat(ID_LENGTH_MAX / 4 + 1)],
  ["promise.search", "idPrefix", ""],
  ["schedule.create", "cron", "*".repeat(2_000)],
  ["promise.create", "id", ""],
  ["promise.create", "timeoutAt", -1],
  ["promise.create", "timeoutAt", 1.5],
  ["promise.create", "timeoutAt", "10"],
  ["promise.create", "timeoutAt", null],
  ["promise.create", "timeoutAt", 2 ** 63],
  ["promise.create", "param", null],
  ["promise.create", "param", { data: 7 }, "param.data"],
  ["promise.create", "param", { data: {} }, "param.data"],
  ["promise.create", "param", { headers: { a: 1 } }, "param.headers.a"],
  ["promise.create", "tags", null],
  ["promise.create", "tags", { a: 1 }, "tags.a"],
  ["promise.create", "tags", { "resonate:target": "" }, "tags.resonate:target"],
  ["promise.create", "tags", { "resonate:target": "poll://default" }, "tags.resonate:target"],
  ["promise.create", "tags", { "resonate:origin": "b" }, "tags.resonate:origin"],
  ["promise.create", "tags", { ...target, "resonate:delay": "10" }, "tags.resonate:delay"],
  ["promise.create", "tags", { "resonate:delay": "1" }, "tags.resonate:delay"],
  ["promise.create", "tags", { a: "x".repeat(TAG_LENGTH_MAX + 1) }, "tags.a"],
  ["promise.create", "tags", manyTags(TAGS_MAX + 1)],
  ["promise.create", "tags", JSON.parse('{"__proto__":"x"}'), "tags.__proto__"],
  [
    "promise.create",
    "param",
    { headers: JSON.parse('{"__proto__":"x"}') },
    "param.headers.__proto__",
  ],
  ["promise.settle", "state", "pending"],
  ["promise.settle", "state", "rejected_timedout"],
  ["promise.settle", "state", "RESOLVED"],
  ["promise.settle", "value", null],
  ["promise.register_callback", "awaited", ""],
  ["promise.register_callback", "awaiter", ""],
  ["promise.register_listener", "awaited", ""],
  ["promise.register_listener", "address", ""],
  ["promise.register_listener", "address", "poll://g"],
  ["promise.search", "state", "done"],
  ["promise.search", "limit", 0],
  ["promise.search", "limit", 1_001],
  ["promise.search", "limit", 1.5],
  ["promise.search", "cursor", 7],
  ["promise.search", "tags", { a: 1 }, "tags.a"],
  ["task.create", "pid", ""],
  ["task.create", "ttl", 0],
  ["task.create", "action", action("promise.create", create), "action.data.tags"],
  [
    "task.create",
    "action",
    action("promise.create", { ...create, tags: { ...target, "resonate:delay": "1" } }),
    "action.data.tags",
  ],
  ["task.create", "action", action("promise.create", { tags: target }), "action.data.id"],
  ["task.acquire", "id", ""],
  ["task.acquire", "version", -1],
  ["task.acquire", "version", 0.5],
  ["task.acquire", "pid", ""],
  ["task.acquire", "ttl", 0],
  ["task.acquire", "ttl", null],
  ["task.fence", "version", -1],
  ["task.fence", "action", action("promise.get", { id: "a" }), "action.kind"],
  ["task.fence", "action", action("promise.create", { ...create, id: "t" }), "action.data.id"],
  ["task.fence", "action", action("promise.settle", settle), "action.data.id"],
  ["task.fence", "action", action("promise.settle", { id: "a", state: "x" }), "action.data.state"],
  ["task.heartbeat", "pid", ""],
  ["task.heartbeat", "tasks", []],
  ["task.heartbeat", "tasks", [{ id: "a" }], "tasks.0.version"],
  ["task.suspend", "version", -1],
  ["task.suspend", "actions", []],
  ["task.suspend", "actions", [callback("a", "other")]],
  ["task.suspend", "actions", [callback("t", "t")], "actions.0.data"],
  ["task.suspend", "actions", [callback("a", "t"), callback("a", "t")]],
  ["task.suspend", "actions", [callback("", "t")], "actions.0.data.awaited"],
  ["task.fulfill", "action", action("promise.settle", { ...settle, id: "a" }), "action.data.id"],
  [
    "task.fulfill",
    "action",
    action("promise.settle", { id: "t", state: "pending" }),
    "action.data.state",
  ],
  ["task.release", "version", -1],
  ["task.search", "state", "resolved"],
  ["schedule.create", "id", ""],
  ["schedule.create", "id", "a:b"],
  ["schedule.create", "cron", ""],
  ["schedule.create", "promiseId", ""],
  ["schedule.create", "promiseTimeout", -1],
  ["schedule.create", "promiseTags", {}],
  ["schedule.create", "promiseTags", { "resonate:target": "g" }],
  ["schedule.create", "promiseParam", null],
  ["schedule.search", "limit", 0],
];

test.each(BAD.map(([kind, field, value, path = field]) => ({ kind, field, value, path })))(
  "$kind with $field $value is refused, naming it",
  ({ kind, field, value, path }) => {
    expect(refusal(kind, { ...VALID[kind], [field]: value })).toContain(`Invalid request: ${path}`);
  },
);

test("a promise that awaits itself is refused", () => {
  expect(refusal("promise.register_callback", { awaited: "a", awaiter: "a" })).toContain(
    "must not await itself",
  );
});

describe("at the edge", () => {
  test.each([
    ["promise.get", { id: "x".repeat(ID_LENGTH_MAX) }],
    ["promise.get", { id: "𝄞".repeat(ID_LENGTH_MAX / 4) }],
    ["promise.create", { ...create, timeoutAt: 0 }],
    ["promise.create", { ...create, timeoutAt: Number.MAX_SAFE_INTEGER }],
    ["promise.create", { ...create, tags: manyTags(TAGS_MAX) }],
    ["promise.create", { ...create, tags: { [`x${"y".repeat(TAG_LENGTH_MAX - 1)}`]: "" } }],
    ["promise.create", { ...create, tags: { ...target, "resonate:delay": "9" } }],
    ["promise.search", { limit: 1_000, state: "rejected_timedout" }],
    ["promise.search", { limit: 1 }],
    [
      "task.fence",
      {
        id: "t",
        version: 0,
        action: { kind: "promise.settle", data: { id: "a", state: "rejected" } },
      },
    ],
    ["task.suspend", { id: "t", version: 0, actions: [callback("a", "t"), callback("b", "t")] }],
    [
      "task.suspend",
      {
        id: "t",
        version: 0,
        actions: [{ kind: "any", data: { awaited: "other:1", awaiter: "t" } }],
      },
    ],
    ["schedule.create", { ...VALID["schedule.create"], id: "a.b/c" }],
  ])("%s accepts %j", (kind, data) => {
    expect(parse(kind, data)).toMatchObject({ ok: true });
  });

  test.each([
    "../",
    "%00",
    "a\r\nb",
    "\u001b[31m",
    "\u202e",
    "'; drop",
    "%_",
    "🦊",
    "constructor",
    "__proto__",
  ])("the id %j is taken as it is", (id) => {
    expect(parse("promise.get", { id })).toMatchObject({ request: { data: { id } } });
  });

  test("tags named like members of objects are data", () => {
    const tags = JSON.parse('{"constructor":"a","toString":"b"}');

    expect(parse("promise.create", { ...create, tags })).toMatchObject({
      request: { data: { tags } },
    });
  });

  test("no input changes the prototype of objects", () => {
    const data = JSON.parse(
      '{"id":"a","timeoutAt":1,"tags":{"__proto__":"x"},"__proto__":{"polluted":1}}',
    );

    parse("promise.create", data);

    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

function manyTags(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`tag${at}`, ""]));
}

describe("worker.announce", () => {
  const announce = (over: object) =>
    parseRequest({
      kind: "worker.announce",
      head: { corrId: "c", version: "2026-04-01" },
      data: { group: "g", pid: "p", ttl: 1, slots: 1, functions: {}, ...over },
    });
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, [1]]));

  test.each([
    ["no functions", {}],
    ["as many functions as there may be", { functions: many(10_000) }],
    ["as many versions as there may be", { functions: { f: Array(1_000).fill(1) } }],
    ["the longest name", { functions: { ["x".repeat(1_024)]: [1] } }],
  ])("with %s is taken", (_, over) => {
    expect(announce(over).ok).toBe(true);
  });

  test.each([
    ["functions", { functions: many(10_001) }],
    ["functions.f", { functions: { f: Array(1_001).fill(1) } }],
    ["functions", { functions: { ["x".repeat(1_025)]: [1] } }],
    ["functions.f", { functions: { f: ["1"] } }],
    ["functions", { functions: undefined }],
    ["slots", { slots: 0 }],
    ["ttl", { ttl: 0 }],
    ["pid", { pid: "" }],
    ["group", { group: "" }],
  ])("with wrong %s is refused by name", (name, over) => {
    const parsed = announce(over);

    expect(parsed.ok ? "" : parsed.message).toContain(name);
  });
});

describe("head['resonate:cause']", () => {
  const cause = (given: unknown) => {
    const parsed = parseRequest({
      kind: "task.release",
      head: { corrId: "c", version: "2026-04-01", "resonate:cause": given },
      data: { id: "t", version: 1 },
    });
    return parsed.ok ? parsed.request.head["resonate:cause"] : parsed.message;
  };

  test.each([
    ["a text", "boom", "boom"],
    ["one that is too long, which is cut", "x".repeat(2_001), "x".repeat(2_000)],
    ["one that is no Unicode, which is mended", "a\ud800\0b", "a\ufffd\ufffdb"],
    ["nothing", undefined, undefined],
    ["what is no text, which is dropped", 7, undefined],
  ])("is %s", (_, given, read) => {
    expect(cause(given)).toBe(read);
  });
});

describe("the template of a schedule", () => {
  const schedule = VALID["schedule.create"];
  // `{{.timestamp}}` takes up to 16 digits.
  const promiseId = `${"{{.id}}".repeat(8)}{{.timestamp}}`;

  test("may make ids of the greatest length, and no longer ones", () => {
    const longest = { ...schedule, id: "x".repeat((ID_LENGTH_MAX - 16) / 8), promiseId };
    const tooLong = { ...longest, id: `${longest.id}x` };

    expect(refusal("schedule.create", longest)).toBe("accepted");
    expect(refusal("schedule.create", tooLong)).toBe(
      "Invalid request: promiseId: makes ids that are longer than 1024 bytes of UTF-8",
    );
  });
});

describe("a debug operation", () => {
  const debug = (kind: string, data: object) => {
    const opened = parseEnvelope({ kind, head: { ...head, "resonate:debug_time": 7 }, data });
    return opened.ok ? parseDebugData(opened.envelope) : opened;
  };

  test.each(["debug.start", "debug.stop", "debug.reset", "debug.snap"])("%s is read", (kind) => {
    expect(debug(kind, {})).toEqual({
      ok: true,
      request: { kind, head: { ...head, "resonate:debug_time": 7 }, data: {} },
    });
  });

  test("debug.tick needs its instant", () => {
    expect(debug("debug.tick", { time: 5 })).toMatchObject({ request: { data: { time: 5 } } });
    expect(debug("debug.tick", {})).toMatchObject({
      ok: false,
      message: expect.stringContaining("Invalid request: time"),
    });
  });

  test("is no ordinary request, and no other kind is one", () => {
    expect(refusal("debug.snap", {})).toBe("Unknown operation: debug.snap");
    expect(debug("promise.get", { id: "a" })).toMatchObject({ ok: false });
  });

  test.each([-1, 1.5, "1", {}])("a debug time of %j is refused", (time) => {
    expect(
      parseRequest({
        kind: "promise.get",
        head: { ...head, "resonate:debug_time": time },
        data: { id: "a" },
      }),
    ).toMatchObject({ ok: false, message: expect.stringContaining("head.resonate:debug_time") });
  });
});
