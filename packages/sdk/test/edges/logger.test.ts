import { afterEach, expect, test, vi } from "vitest";
import { consoleLogger, type LogLevel } from "../../src/logger.ts";

afterEach(() => vi.restoreAllMocks());

/** What a logger of this level writes, by stream. */
function written(level: LogLevel | undefined, fields: object = {}) {
  const lines: [string, Record<string, unknown>][] = [];
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      lines.push([name, JSON.parse(String(text))]);
      return true;
    });
  }
  const logger = consoleLogger(level);
  for (const each of ["debug", "info", "warn", "error"] as const) logger[each](fields, each);
  return lines;
}

test("only warnings and errors are written unless asked for", () => {
  expect(written(undefined).map(([stream, { level }]) => [stream, level])).toEqual([
    ["stderr", "warn"],
    ["stderr", "error"],
  ]);
});

test("debug and info go to stdout", () => {
  expect(written("debug").map(([stream]) => stream)).toEqual([
    "stdout",
    "stdout",
    "stderr",
    "stderr",
  ]);
});

test("an error is written with its message, its cause and its fields", () => {
  const error = Object.assign(new Error("m", { cause: new Error("why") }), { code: "E" });

  const [[, line] = []] = written("error", { error, size: 1n });

  expect(line).toMatchObject({
    level: "error",
    message: "error",
    size: "1",
    error: { name: "Error", message: "m", code: "E", cause: { message: "why" } },
  });
});

test("fields with a cycle do not throw", () => {
  const fields: { self?: object } = {};
  fields.self = fields;

  expect(written("error", fields)).toHaveLength(1);
});
