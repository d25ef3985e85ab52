import { expect, test } from "vitest";
import { Scope } from "../src/scope.ts";

const scope = (url: string, rules: { include?: string[]; exclude?: string[] } = {}) =>
  new Scope({ url, include: [], exclude: [], ...rules });

test.each([
  ["http://www.site.test/", "https://blog.site.test/a", undefined],
  ["http://site.test/", "http://site.test:8080/", undefined],
  ["http://www.site.test/", "http://site.test.evil.test/", "another site"],
  ["http://a.co.uk/", "http://b.co.uk/", "another site"],
  // Whoever serves pages at github.io is a site of their own.
  ["http://ada.github.io/", "http://bob.github.io/", "another site"],
  ["http://127.0.0.1:1000/", "http://127.0.0.1:1001/", "another site"],
  ["http://localhost:1000/", "http://localhost:1000/a", undefined],
  ["http://site.test/", `http://site.test/${"a".repeat(2_048)}`, "URL too long"],
])("from %s, %s: %s", (start, url, problem) => {
  expect(scope(start).problem(url)).toBe(problem);
});

test.each([
  ["/docs/a", undefined],
  ["/docs/a/b", "not included"],
  ["/docs/a.pdf", "excluded"],
  ["/other", "not included"],
  ["/deep/a/b/c?d=1", undefined],
])("with globs, %s: %s", (path, problem) => {
  const rules = { include: ["/docs/*", "/deep/**"], exclude: ["**.pdf"] };
  expect(scope("http://site.test/", rules).problem(`http://site.test${path}`)).toBe(problem);
});
