import { describe, expect, test } from "vitest";
import {
  childId,
  detachedId,
  joinId,
  originOf,
  rootIdProblem,
  SPELLED_ID_LENGTH_MAX,
} from "../src/ids.ts";

describe("a child's id", () => {
  test.each([
    ["root", 0, "root:0"],
    ["my.app", 12, "my.app:12"],
    ["my.app:0", 2, "my.app:0.2"],
    ["my.app:0.2", 0, "my.app:0.2.0"],
  ])("of %s, number %d, is %s", (parent, seq, id) => {
    expect(childId(parent, seq)).toBe(id);
  });

  test("is spelled out up to 256 characters and a hash under its origin beyond", () => {
    const longest = "r".repeat(SPELLED_ID_LENGTH_MAX - 2);

    expect(childId(longest, 0)).toBe(`${longest}:0`);
    expect(childId(`${longest}r`, 0)).toMatch(/^r{255}:h[0-9a-f]{14}$/);
  });

  test("that is a hash differs with the parent and the number, and comes again", () => {
    const parent = `root:${"1.".repeat(130)}1`;

    expect(childId(parent, 0)).toBe(childId(parent, 0));
    expect(new Set([childId(parent, 0), childId(parent, 1), childId(`${parent}.1`, 0)]).size).toBe(
      3,
    );
    expect(childId(parent, 0)).toMatch(/^root:h[0-9a-f]{14}$/);
  });
});

test.each([
  ["root", "root"],
  ["root:0", "root"],
  ["a.b:0.1", "a.b"],
  ["a:b:c", "a"],
  [":x", ""],
])("the origin of %s is %s", (id, origin) => {
  expect(originOf(id)).toBe(origin);
});

test("a detached call is a child of the origin, named by where it was started", () => {
  expect(detachedId("root:1.2", 3)).toMatch(/^root:d[0-9a-f]{14}$/);
  expect(detachedId("root:1.2", 3)).toBe(detachedId("root:1.2", 3));
  expect(detachedId("root:1.2", 3)).not.toBe(detachedId("root:1.2", 4));
});

test("a segment is joined by a colon to a root and by a dot to anything else", () => {
  expect([joinId("a", "x"), joinId("a:0", "x")]).toEqual(["a:x", "a:0.x"]);
});

describe("a root id", () => {
  test.each(["a", "countdown.1", "notify/ord_1", " ", "日本", "🦊", "a b\n"])(
    "may be '%s'",
    (id) => {
      expect(rootIdProblem(id)).toBeUndefined();
    },
  );

  test.each(["", "a:b", ":", "a\0b"])("must not be %j", (id) => {
    expect(rootIdProblem(id)).toBeTypeOf("string");
  });
});
