import { expect, test } from "vitest";
import type { FetchedPage } from "../src/fetch-page.ts";
import { Frontier } from "../src/frontier.ts";
import { type CrawlRequest, DEFAULTS } from "../src/request.ts";

type Web = Readonly<Record<string, Partial<FetchedPage>>>;

const page = (name: string) => `http://site.test/${name}`;

/** A site whose pages link to each other in a circle. */
const CIRCLE: Web = {
  a: { links: [page("b"), page("c")] },
  b: { links: [page("a"), page("c")] },
  c: { links: [page("a"), page("d")] },
  d: { links: [page("b")] },
};

function walk(web: Web, limits: Partial<CrawlRequest> = {}, seeds: readonly string[] = []) {
  const frontier = new Frontier({ ...DEFAULTS, run: "r", url: page("a"), ...limits }, seeds);
  const visited: string[] = [];
  for (const wave of frontier.waves()) {
    for (const { url, depth } of wave) {
      visited.push(`${depth} ${url}`);
      const content = web[url.slice(page("").length)];
      frontier.add({ url, links: [], nofollow: [], bytes: 0, ms: 0, ...content });
    }
  }
  const refused = frontier.refused.map(({ url, reason }) => `${reason} ${url}`);
  return { visited, refused, accepted: frontier.accepted };
}

test("pages that link in a circle are each accepted once", () => {
  expect(walk(CIRCLE).visited).toEqual([
    `0 ${page("a")}`,
    `1 ${page("b")}`,
    `1 ${page("c")}`,
    `2 ${page("d")}`,
  ]);
});

test.each([
  [0, 1, [`depth ${page("b")}`, `depth ${page("c")}`]],
  [1, 3, [`depth ${page("d")}`]],
  [2, 4, []],
])("depth %i accepts %i URLs", (depth, accepted, refused) => {
  expect(walk(CIRCLE, { depth })).toMatchObject({ accepted, refused });
});

const TEN = Array.from({ length: 10 }, (_, i) => page(`p${i}`));

test("exactly as many URLs as allowed are accepted, and the others have a reason", () => {
  const { accepted, refused } = walk({ a: { links: TEN } }, { maxPages: 7 });
  expect(accepted).toBe(7);
  expect(refused).toEqual(TEN.slice(6).map((url) => `max-pages ${url}`));
});

test("exactly as many URLs of one host as allowed are accepted", () => {
  const elsewhere = "http://www.site.test/";
  const { visited, refused } = walk({ a: { links: [...TEN, elsewhere] } }, { maxPerHost: 3 });
  expect(visited).toEqual(
    [page("a"), ...TEN.slice(0, 2), elsewhere].map((url, i) => `${+(i > 0)} ${url}`),
  );
  expect(refused).toEqual(TEN.slice(2).map((url) => `max-per-host ${url}`));
});

test("a redirect stays on its level, and one that goes in circles ends", () => {
  const web: Web = {
    a: { links: [page("old")] },
    old: { redirect: page("new") },
    new: { redirect: page("old") },
  };
  expect(walk(web, { depth: 1 }).visited).toEqual([
    `0 ${page("a")}`,
    `1 ${page("old")}`,
    `1 ${page("new")}`,
  ]);
});

test("five redirects in a row are followed, and no sixth", () => {
  const chain = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [i ? `r${i}` : "a", { redirect: page(`r${i + 1}`) }]),
  );
  const { accepted, refused } = walk(chain);
  expect(accepted).toBe(6);
  expect(refused).toEqual([`too many redirects ${page("r6")}`]);
});

test("a redirect is held against the scope again", () => {
  const web: Web = { a: { redirect: "http://elsewhere.test/" } };
  expect(walk(web)).toMatchObject({
    accepted: 1,
    refused: ["another site http://elsewhere.test/"],
  });
});

test("a page that a redirect leads to sooner than a link is on the sooner level", () => {
  const web: Web = {
    a: { links: [page("b"), page("old")] },
    b: { links: [page("new")] },
    old: { redirect: page("new") },
  };
  expect(walk(web, { depth: 1 })).toMatchObject({
    visited: [`0 ${page("a")}`, `1 ${page("b")}`, `1 ${page("old")}`, `1 ${page("new")}`],
    refused: [],
  });
});

test("what sitemaps name comes after the links of the first page, and is held against all limits", () => {
  const seeds = [page("seed"), "http://elsewhere.test/"];
  expect(walk({ a: { links: [page("b")] } }, {}, seeds)).toMatchObject({
    visited: [`0 ${page("a")}`, `1 ${page("b")}`, `1 ${page("seed")}`],
    refused: ["another site http://elsewhere.test/"],
  });
});

test("a link that was refused by nofollow is accepted when another page links there", () => {
  const web: Web = {
    a: { nofollow: [page("x"), page("y")], links: [page("b")] },
    b: { links: [page("x")] },
  };
  expect(walk(web)).toMatchObject({
    visited: [`0 ${page("a")}`, `1 ${page("b")}`, `2 ${page("x")}`],
    refused: [`nofollow ${page("y")}`],
  });
});
