import { expect, test } from "vitest";
import { toBase64 } from "../src/model/base64.ts";
import { bytes, duration, number, relative, roundDuration } from "../src/model/format.ts";
import { durationOf, type InvocationForm, invocationOf } from "../src/model/invocation.ts";
import { nameOf, shortId } from "../src/model/names.ts";
import { piecesOf, safeHref } from "../src/model/rich-text.ts";
import { statusOf } from "../src/model/status.ts";
import { tally } from "../src/model/tally.ts";
import { call, done, NOW, node } from "./made.ts";

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_000, "1.00 s"],
  [9_994, "9.99 s"],
  [9_995, "10.0 s"],
  [59_949, "59.9 s"],
  [59_950, "1 min"],
  [3_599_000, "59 min 59 s"],
  [3_600_000, "1 h"],
  [90_061_000, "1 d 1 h"],
  [-5, "0 ms"],
])("%i ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [9_949, "9.9 kB"],
  [9_950, "10 kB"],
  [999_400, "999 kB"],
  [999_500, "1.0 MB"],
  [10_000_000, "10 MB"],
])("%i bytes are %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});

test("counts, distances and round durations are short", () => {
  expect([1, 1_000, 1_234_567].map(number)).toEqual(["1", "1\u202f000", "1\u202f234\u202f567"]);
  expect(relative(NOW + 61_000, NOW)).toBe("in 1 min 1 s");
  expect(relative(NOW - 2_000, NOW)).toBe("2 s ago");
  expect([250, 1_500, 30_000, 120_000].map(roundDuration)).toEqual([
    "250 ms",
    "1.5 s",
    "30 s",
    "2 min",
  ]);
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:null/x",
  "//example.com",
  "poll://any@default",
  "not an address",
])("%s is no link", (text) => {
  expect(safeHref(text)).toBeUndefined();
  expect(piecesOf(text)).toEqual([{ kind: "text", text }]);
});

test("addresses of the web are links, without the sentence around them", () => {
  expect(piecesOf('see "https://example.com/a?b=1", or http://x.test/y).')).toEqual([
    { kind: "text", text: 'see "' },
    { kind: "link", text: "https://example.com/a?b=1", href: "https://example.com/a?b=1" },
    { kind: "text", text: '", or ' },
    { kind: "link", text: "http://x.test/y", href: "http://x.test/y" },
    { kind: "text", text: ")." },
  ]);
});

test("however many addresses a text has, 200 are links, and nothing of it is lost", () => {
  const text = "https://example.com/ ".repeat(300);
  const pieces = piecesOf(text);

  expect(pieces.filter(({ kind }) => kind === "link")).toHaveLength(200);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
});

const form: InvocationForm = {
  id: "report-may",
  func: "report",
  args: '[{"month":5},"ä"]',
  target: "reporters",
  version: "2",
  timeout: "1h30m",
  delay: "10s",
};

test("a form makes the request that the command makes", () => {
  const call = '{"func":"report","args":[{"month":5},"ä"],"version":2}';

  expect(invocationOf(form, NOW)).toEqual({
    kind: "request",
    request: {
      id: "report-may",
      timeoutAt: NOW + 10_000 + 5_400_000,
      param: { headers: {}, data: Buffer.from(call).toString("base64") },
      tags: {
        "resonate:origin": "report-may",
        "resonate:branch": "report-may",
        "resonate:parent": "report-may",
        "resonate:scope": "global",
        "resonate:target": "poll://any@reporters",
        "resonate:delay": String(NOW + 10_000),
      },
    },
  });
});

test.each([
  ["id", ""],
  ["id", "a:b"],
  ["func", " "],
  ["args", "{}"],
  ["args", "[1"],
  ["target", "two words"],
  ["version", "0"],
  ["version", "1.5"],
  ["timeout", "soon"],
  ["timeout", "0s"],
  ["delay", "1 hour"],
] as const)("a form whose %s is '%s' names that field", (field, text) => {
  expect(invocationOf({ ...form, [field]: text }, NOW)).toMatchObject({ kind: "problem", field });
});

test("durations are read as the command reads them", () => {
  expect(["250ms", "1h30m", "7d", " 5s "].map(durationOf)).toEqual([
    250, 5_400_000, 604_800_000, 5_000,
  ]);
  expect(["", "5", "h", "5s!", "-5s"].map(durationOf)).toEqual(Array(5).fill(undefined));
});

test("long and foreign text survives being encoded", () => {
  const text = "ä€😀".repeat(50_000);

  expect(Buffer.from(toBase64(text), "base64").toString()).toBe(text);
});

test("a name is the function's, or what it is; an id is shown without its run's", () => {
  expect(nameOf(call("r:0", "r"))).toBe("work");
  expect(nameOf(node("r:1", { kind: "sleep" }))).toBe("sleep");
  expect(["r:0.1", "r", "rest:1"].map((id) => shortId(id, "r"))).toEqual([":0.1", "r", "rest:1"]);
});

test("statuses say what the state of the promise and of its task mean together", () => {
  const states = ["pending", "acquired", "suspended", "halted"] as const;
  const calls = states.map((state) => call(state, "r", { state }));

  expect(calls.map(statusOf)).toEqual(["queued", "running", "waiting", "halted"]);
  expect(calls.map((one) => statusOf(done(one)))).toEqual(Array(4).fill("done"));
  expect(tally([done(call("a", "r")), call("b", "r"), call("c", "r")])).toEqual([
    { status: "done", count: 1 },
    { status: "queued", count: 2 },
  ]);
});
