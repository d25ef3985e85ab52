import { describe, expect, test } from "vitest";
import { delayOf, isExternal, isTimer, TAG, tagsProblem } from "../src/tags.ts";

const target = { [TAG.target]: "poll://any@g" };

describe("a promise is external", () => {
  test.each([
    [{ [TAG.scope]: "global" }, true],
    [{ [TAG.external]: "true" }, true],
    [target, true],
    [{ [TAG.timer]: "true" }, true],
    [{}, false],
    [{ [TAG.scope]: "local" }, false],
    [{ [TAG.external]: "yes" }, false],
    [{ [TAG.timer]: "1" }, false],
    [{ [TAG.branch]: "b" }, false],
  ])("with %j: %s", (tags, external) => {
    expect(isExternal(tags)).toBe(external);
  });
});

test("only the exact text makes a timer", () => {
  expect([isTimer({ [TAG.timer]: "true" }), isTimer({ [TAG.timer]: "TRUE" })]).toEqual([
    true,
    false,
  ]);
});

test("the delay is an instant in ms", () => {
  expect([delayOf({ [TAG.delay]: "15" }), delayOf({})]).toEqual([15, undefined]);
});

describe("lineage", () => {
  const names = [TAG.origin, TAG.branch, TAG.parent];

  test.each(
    names.flatMap((name) => [
      ["a", "a", name],
      ["a:0", "a", name],
      ["a.0", "a", name],
      ["a.b:0", "a.b", name],
    ]),
  )("of '%s' may be '%s' (%s)", (id, ancestor, name) => {
    expect(tagsProblem({ id, timeoutAt: 1, tags: { [name]: ancestor } })).toBeUndefined();
  });

  test.each(
    names.flatMap((name) => [
      ["a", "b", name],
      ["ab", "a", name],
      ["a", "a:0", name],
      ["a:0", "", name],
    ]),
  )("of '%s' must not be '%s' (%s)", (id, ancestor, name) => {
    expect(tagsProblem({ id, timeoutAt: 1, tags: { [name]: ancestor } })).toContain(name);
  });

  test.each([[TAG.branch], [TAG.parent]])("%s may be a child's id, the origin may not", (name) => {
    const of = (tag: string) => tagsProblem({ id: "a:0.1", timeoutAt: 1, tags: { [tag]: "a:0" } });

    expect(of(name)).toBeUndefined();
    expect(of(TAG.origin)).toContain("must not contain ':'");
  });

  test("of older SDKs, known by their prefix tag, is taken as it comes, but for the origin", () => {
    const tags = { [TAG.prefix]: "a", [TAG.branch]: "x", [TAG.parent]: "y" };

    expect(tagsProblem({ id: "own", timeoutAt: 1, tags })).toBeUndefined();
    expect(
      tagsProblem({ id: "own", timeoutAt: 1, tags: { ...tags, [TAG.origin]: "x" } }),
    ).toContain(TAG.origin);
    expect(tagsProblem({ id: "own", timeoutAt: 1, tags: { [TAG.prefix]: "a:b" } })).toContain(
      TAG.prefix,
    );
  });
});

describe("a delay", () => {
  const problem = (delay: string, over: object = {}) =>
    tagsProblem({ id: "a", timeoutAt: 10, tags: { ...target, [TAG.delay]: delay }, ...over });

  test.each(["0", "9"])("of %s is before a deadline of 10", (delay) => {
    expect(problem(delay)).toBeUndefined();
  });

  test.each(["10", "11", "-1", "1.5", "1e0", "", " 1", "x", "9".repeat(17)])(
    "of '%s' is refused",
    (delay) => {
      expect(problem(delay)).toContain(TAG.delay);
    },
  );

  test("needs a target", () => {
    expect(problem("1", { tags: { [TAG.delay]: "1" } })).toContain(TAG.target);
  });
});

test.each(["", "g", "poll://g"])("a target of '%s' is refused", (text) => {
  expect(tagsProblem({ id: "a", timeoutAt: 1, tags: { [TAG.target]: text } })).toContain(
    TAG.target,
  );
});
