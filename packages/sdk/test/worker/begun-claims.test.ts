import { expect, test } from "vitest";
import { BegunClaims } from "../../src/worker/begun-claims.ts";

const claim = (version: number, createdAt = 1_000) => ({
  task: { id: "w", version },
  promise: { createdAt },
});

test("a claim is begun once, and none that is older", () => {
  const begun = new BegunClaims();
  begun.add(claim(2));

  expect([1, 2, 3].map((version) => begun.has(claim(version)))).toEqual([true, true, false]);
});

test("an id that was forgotten and is used again is another task, of which nothing was begun", () => {
  const begun = new BegunClaims();
  begun.add(claim(7, 1_000));

  expect(begun.has(claim(1, 1_001))).toBe(false);
  expect(begun.outlived(claim(1, 1_001))).toBe(0);
  begun.add(claim(1, 1_001));
  expect(begun.has(claim(8, 1_000))).toBe(true);
});

test("what was begun here counts as outlived, until there is a verdict", () => {
  const begun = new BegunClaims();
  begun.add(claim(1));
  begun.add(claim(4));
  expect(begun.outlived(claim(5))).toBe(2);

  begun.verdict("w");

  expect(begun.outlived(claim(5))).toBe(0);
  expect(begun.has(claim(4))).toBe(true);
});
