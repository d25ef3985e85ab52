import { expect, test } from "vitest";
import { editDistance, nearest } from "../../src/dashboard/nearest.ts";

test.each([
  ["", "", 0],
  ["abc", "", 3],
  ["abc", "abc", 0],
  ["abc", "abd", 1],
  ["abc", "abcd", 1],
  ["abcd", "acbd", 1],
  ["kitten", "sitting", 3],
  ["ca", "abc", 3],
])("from '%s' to '%s' it is %i", (one, other, distance) => {
  expect(editDistance(one, other)).toBe(distance);
  expect(editDistance(other, one)).toBe(distance);
});

test.each([
  ["default", ["defualt", "worker"], "defualt"],
  ["Mail", ["mail"], "mail"],
  ["g", ["h"], "h"],
  ["ab", ["xy"], undefined],
  ["worker", ["emails", "images"], undefined],
  ["same", ["same"], undefined],
  ["x".repeat(101), ["x".repeat(100)], undefined],
])("for '%s', of %j, it is %s that is meant", (name, names, meant) => {
  expect(nearest(name, names)).toBe(meant);
});
