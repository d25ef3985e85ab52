import { expect, test } from "vitest";
import { jsonLogger } from "../src/logger.ts";

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
