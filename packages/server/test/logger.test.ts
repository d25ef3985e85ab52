import { expect, test } from "vitest";
import { jsonLogger, terminalLogger } from "../src/logger.ts";

function logged(fields: Readonly<Record<string, unknown>>): unknown {
  const lines: string[] = [];
  jsonLogger("warn", (line) => lines.push(line)).error(fields, "it broke");
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "");
}

test("an error shows what it is, its own fields and its causes", () => {
  const cause = Object.assign(new Error("disk I/O error"), { errcode: 10 });
  const error = new TypeError("rolled back", { cause });

  expect(logged({ error, id: "a" })).toEqual({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    level: "error",
    message: "it broke",
    id: "a",
    error: {
      name: "TypeError",
      message: "rolled back",
      stack: expect.any(String),
      cause: { name: "Error", message: "disk I/O error", stack: expect.any(String), errcode: 10 },
    },
  });
});

test("fields that JSON cannot hold cost the fields, not the line", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;

  expect(logged({ circle })).toMatchObject({ level: "error", message: "it broke" });
});

test("what is below the level is not written", () => {
  const lines: string[] = [];

  jsonLogger("warn", (line) => lines.push(line)).info({}, "hello");

  expect(lines).toEqual([]);
});

test("causes that lead in a circle end", () => {
  const error = new Error("one");
  error.cause = error;

  expect(logged({ error })).toMatchObject({ error: { cause: { message: "one" } } });
});

test.each([
  ["a field that is named so", { token: "t0ps3cret", push: { authorization: "t0ps3cret" } }],
  ["the password of a URL", { error: new Error("no: postgres://me:t0ps3cret@db:5432/x") }],
  ["a password without a name", { url: "redis://:t0ps3cret@db" }],
  ["a token", { why: `got eyJhbGciOiJIUzI1NiJ9.${"t0ps3cret"}.x` }],
  ["a header", { header: "Bearer t0ps3cret", other: "BASIC t0ps3cret" }],
])("%s is not written", (_, fields) => {
  for (const logger of [jsonLogger, terminalLogger]) {
    const lines: string[] = [];
    logger("info", (line) => lines.push(line)).warn(fields, "hello");

    expect(lines.join("")).toContain("hello");
    expect(lines.join("")).not.toContain("t0ps3cret");
  }
});

test("what is no secret stays", () => {
  const fields = { url: "http://localhost:8001", at: "postgres://db:5432/x", id: "bearer" };

  expect(logged(fields)).toMatchObject(fields);
});

test("in a terminal it is text, and nothing in an id moves the cursor", () => {
  const lines: string[] = [];
  const logger = terminalLogger("info", (line) => lines.push(line), { colors: false });

  logger.warn(
    { id: "a\u001b[2J\u009b2Jb", path: "c:\\u001b", error: new Error("x\u001b]0;y\u0007") },
    "it broke",
  );

  const text = lines.join("");
  expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: it broke\n/);
  expect(text).toContain("a[2J2Jb");
  expect(text).toContain("c:\\u001b");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
});
