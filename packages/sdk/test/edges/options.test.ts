import { expect, test } from "vitest";
import { isResonateError } from "../../src/errors.ts";
import { isOptions, Options, splitOptions } from "../../src/options.ts";
import { Never } from "../../src/retry.ts";

test("options at the end are taken off the arguments", () => {
  const options = new Options({ id: "a" });

  expect(splitOptions([1, { id: "b" }, options])).toEqual({
    args: [1, { id: "b" }],
    options: { id: "a" },
  });
});

test("a plain object and options elsewhere are arguments", () => {
  const options = new Options({ timeout: 5 });

  expect(splitOptions([options, { timeout: 5 }])).toEqual({
    args: [options, { timeout: 5 }],
    options: {},
  });
  expect(splitOptions([])).toEqual({ args: [], options: {} });
});

test("options of another copy of the package are options", () => {
  expect(isOptions({ [Symbol.for("resonate.options")]: true, fields: {} })).toBe(true);
  expect(isOptions(null)).toBe(false);
});

test("a field that is undefined is absent", () => {
  expect(new Options({ id: undefined, version: 2 }).fields).toStrictEqual({ version: 2 });
});

test("a timeout becomes a whole number that a deadline can hold", () => {
  expect(new Options({ timeout: 0.2 }).fields.timeout).toBe(1);
  const { timeout = 0 } = new Options({ timeout: Number.MAX_VALUE }).fields;
  expect(Number.isSafeInteger(Date.now() + timeout)).toBe(true);
});

test.each([
  [{ id: "" }, "ID_INVALID", "'id'"],
  [{ id: "a:b" }, "ID_INVALID", "'id'"],
  [{ target: "" }, "ARGUMENT_INVALID", "'target'"],
  [{ timeout: 0 }, "ARGUMENT_INVALID", "'timeout'"],
  [{ timeout: Number.POSITIVE_INFINITY }, "ARGUMENT_INVALID", "'timeout'"],
  [{ timeout: Number.NaN }, "ARGUMENT_INVALID", "'timeout'"],
  [{ tags: { a: 1 } as unknown as Record<string, string> }, "ARGUMENT_INVALID", "'a'"],
  [{ version: -1 }, "VERSION_INVALID", "'version'"],
  [{ version: 1.5 }, "VERSION_INVALID", "'version'"],
  [{ retryPolicy: {} as unknown as Never }, "ARGUMENT_INVALID", "'retryPolicy'"],
  [
    { nonRetryableErrors: [1 as unknown as typeof Error] },
    "ARGUMENT_INVALID",
    "'nonRetryableErrors'",
  ],
  [
    { nonRetryableErrors: [(() => {}) as unknown as typeof Error] },
    "ARGUMENT_INVALID",
    "'nonRetryableErrors'",
  ],
  [{ timout: 5 } as object, "ARGUMENT_INVALID", "'timout'"],
])("%j is refused by name", (input, code, name) => {
  let thrown: unknown;
  try {
    new Options(input);
  } catch (error) {
    thrown = error;
  }

  expect(isResonateError(thrown, code)).toBe(true);
  expect(String(thrown)).toContain(name);
});

test("everything that can be said is kept", () => {
  const fields = {
    id: "a.b/c",
    target: "workers",
    timeout: 1,
    tags: { a: "b" },
    version: 0,
    retryPolicy: new Never(),
    nonRetryableErrors: [TypeError, class Mine extends Error {}],
  };

  expect(new Options(fields).fields).toEqual(fields);
});
