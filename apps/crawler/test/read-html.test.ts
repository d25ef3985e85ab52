import { expect, test } from "vitest";
import { readHtml, saysNofollow } from "../src/read-html.ts";

const SITE = "http://site.test";
const URL_OF_PAGE = `${SITE}/folder/page`;

const linksOf = (body: string) => readHtml(body, URL_OF_PAGE).links;

test.each([
  ["/a", "http://site.test/a"],
  ["a", "http://site.test/folder/a"],
  ["../a/./b", "http://site.test/a/b"],
  ["?q=1", "http://site.test/folder/page?q=1"],
  ["#part", "http://site.test/folder/page"],
  ["//other.test/a", "http://other.test/a"],
])("%s leads to %s", (href, url) => {
  expect(linksOf(`<a href="${href}">`)).toEqual([url]);
});

test.each(["mailto:me@site.test", "javascript:void 0", "ftp://site.test/", "http://[broken"])(
  "%s is no link",
  (href) => {
    expect(linksOf(`<a href="${href}">`)).toEqual([]);
  },
);

test("links are in the order of the page, each once, and only those of a and area", () => {
  const html = `<a href="b"><img src="c" srcset="d 2x"><area href="a"><A HREF='b#x'><link href="e">`;
  expect(linksOf(html)).toEqual(["http://site.test/folder/b", "http://site.test/folder/a"]);
});

test("the first base moves where links lead", () => {
  const html = `<base href="/other/"><base href="/no/"><a href="a">`;
  expect(linksOf(html)).toEqual(["http://site.test/other/a"]);
});

test("links that ask not to be followed are told apart, unless the page links there otherwise too", () => {
  const html = `<a href="a" rel="noopener NoFollow"><a href="b" rel="nofollow"><a href="b">`;
  expect(readHtml(html, URL_OF_PAGE)).toMatchObject({
    links: ["http://site.test/folder/b"],
    nofollow: ["http://site.test/folder/a"],
  });
});

test.each([
  `<meta name="robots" content="noindex, nofollow">`,
  `<meta name="ROBOTS" content="none">`,
])("%s goes for all links of the page", (meta) => {
  expect(readHtml(`${meta}<a href="a">`, URL_OF_PAGE)).toMatchObject({
    links: [],
    nofollow: ["http://site.test/folder/a"],
  });
});

test.each([
  ["nofollow", true],
  ["otherbot: noindex, nofollow", true],
  ["noindex", false],
  ["nonesuch", false],
])("the directives '%s' ask not to follow: %s", (directives, asks) => {
  expect(saysNofollow(directives)).toBe(asks);
});

test("at most 1000 links are taken from a page, and at most 131072 characters of them", () => {
  const many = (length: number) => (_: unknown, i: number) =>
    `<a href="${i}${"a".repeat(length)}">`;
  expect(linksOf(Array.from({ length: 1_001 }, many(0)).join(""))).toHaveLength(1_000);
  const long = linksOf(Array.from({ length: 1_001 }, many(2_000)).join(""));
  expect(long.join("").length).toBeLessThanOrEqual(131_072);
  expect(long.length).toBeGreaterThan(60);
});

test("what is nested without an end is read to a depth of 1000, in good time", () => {
  const nested = (depth: number) => `<a href="/first">${"<div>".repeat(depth)}<a href="/last">`;
  expect(linksOf(nested(998))).toEqual([`${SITE}/first`, `${SITE}/last`]);
  expect(linksOf(nested(400_000))).toEqual([`${SITE}/first`]);
});

test("10000 links of a page are looked at, repeated ones included", () => {
  const page = (repeated: number) => `${'<a href="/x"></a>'.repeat(repeated)}<a href="/last"></a>`;
  expect(linksOf(page(9_999))).toEqual([`${SITE}/x`, `${SITE}/last`]);
  expect(linksOf(page(10_000))).toEqual([`${SITE}/x`]);
});

test("the title is the first one, on one line", () => {
  const html = "<title> A\n &amp; B </title><svg><title>C</title></svg>";
  expect(readHtml(html, URL_OF_PAGE).title).toBe("A & B");
});

test("nothing in a title moves the cursor of a terminal", () => {
  const html = "<title>A\u001b]52;c;eA==\u0007\u009b2J\u0008B</title>";
  expect(readHtml(html, URL_OF_PAGE).title).toBe("A ]52;c;eA== 2J B");
});
