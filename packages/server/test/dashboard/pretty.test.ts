import { expect, test } from "vitest";
import { pretty } from "../../src/dashboard/pretty.ts";

test.each([
  ["1", "1"],
  ["{}", "{}"],
  ["[ ]", "[ ]"],
  ['{"a":[1,{"b":null}]}', '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ]\n}'],
  ['[ "a,b:{}" , "\\"" ]', '[\n  "a,b:{}",\n  "\\""\n]'],
  ["12345678901234567890.10", "12345678901234567890.10"],
  ['{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'],
])("%s becomes %s", (text, expected) => {
  expect(pretty(text)).toBe(expected);
});

test("what is no JSON stays as it is", () => {
  expect(pretty("{a: 1}")).toBe("{a: 1}");
});

test.each([
  ["deep", "[".repeat(100_000) + "]".repeat(100_000)],
  ["long", `[${"1,".repeat(130_000)}1]`],
])("what is very %s becomes no text without end", (_, text) => {
  expect(pretty(text).length).toBeLessThanOrEqual(1.1 * 1024 * 1024);
});
