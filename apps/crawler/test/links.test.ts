import { expect, test } from "vitest";
import { canonical, readPage } from "../src/links.ts";

const URL_OF_PAGE = "http://site.test/folder/page";

const linksOf = (body: string) => readPage(body, URL_OF_PAGE).links;

test.each([
  ["/a", "http://site.test/a"],
  ["a", "http://site.test/folder/a"],
  ["../a/./b", "http://site.test/a/b"],
  ["?q=1", "http://site.test/folder/page?q=1"],
  ["#part", "http://site.test/folder/page"],
  ["HTTP://SITE.TEST:80/A", "http://site.test/A"],
  ["//site.test/a", "http://site.test/a"],
  ["http://me:secret@site.test/a#part", "http://site.test/a"],
])("%s leads to %s", (href, url) => {
  expect(linksOf(`<a href="${href}">`)).toEqual([url]);
});

test.each([
  "http://elsewhere.test/",
  "http://site.test:8080/",
  "mailto:me@site.test",
  "javascript:void 0",
  "http://[broken",
])("%s is not followed", (href) => {
  expect(linksOf(`<a href="${href}">`)).toEqual([]);
});

test("links are in the order of the page, each once, and only those of anchors", () => {
  const html = `<a href="b"><img src="c"><a href="a"><A HREF='b#x'>`;
  expect(linksOf(html)).toEqual(["http://site.test/folder/b", "http://site.test/folder/a"]);
});

test("a base moves where links lead, but not which host is the page's own", () => {
  expect(linksOf(`<base href="/other/"><a href="a">`)).toEqual(["http://site.test/other/a"]);
  expect(linksOf(`<base href="http://elsewhere.test/"><a href="a">`)).toEqual([]);
});

test("at most 500 links are taken from a page", () => {
  const html = Array.from({ length: 501 }, (_, i) => `<a href="${i}">`).join("");
  expect(linksOf(html)).toHaveLength(500);
});

test("the title is the first one, on one line", () => {
  const html = "<title> A\n &amp; B </title><svg><title>C</title></svg>";
  expect(readPage(html, URL_OF_PAGE).title).toBe("A & B");
});

test("canonicalising twice changes nothing", () => {
  const once = canonical(new URL("http://me@Site.test:80/a/../b?x=ü#y"));
  expect(canonical(new URL(once))).toBe(once);
});
