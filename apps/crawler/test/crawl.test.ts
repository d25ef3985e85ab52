import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate } from "@resonate-ts/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CrawlRequest, type CrawlResult, crawl, GROUP } from "../src/crawl.ts";
import type { FetchedPage } from "../src/fetch-page.ts";

let folder: string;
let fetched: string[];
const clients: Resonate[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crawler-"));
  fetched = [];
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Web = Readonly<Record<string, Partial<FetchedPage>>>;

const page = (name: string) => `http://site.test/${name}`;

/** A site whose pages link to each other in a circle. */
const CIRCLE: Web = {
  a: { links: [page("b"), page("c")] },
  b: { links: [page("a"), page("c")] },
  c: { links: [page("a"), page("d")] },
  d: { links: [page("b")] },
};

/** A crawler of a made-up web. */
function open(web: Web): Resonate {
  const resonate = new Resonate({ path: join(folder, "app.db"), group: GROUP });
  resonate.register("crawl", crawl);
  resonate.register("fetchPage", async (_ctx: unknown, url: string): Promise<FetchedPage> => {
    fetched.push(url);
    const content = web[url.slice(page("").length)];
    return { url, status: content ? 200 : 404, links: [], bytes: 1, ms: 1, ...content };
  });
  clients.push(resonate);
  return resonate;
}

function run(resonate: Resonate, request: Partial<CrawlRequest> = {}): Promise<CrawlResult> {
  const whole = {
    run: "r",
    url: page("a"),
    depth: 9,
    maxPages: 99,
    allowPrivate: false,
    ...request,
  };
  return resonate.run<CrawlResult>(`crawl-${whole.run}`, "crawl", whole);
}

const visited = ({ pages }: CrawlResult) => pages.map(({ url, depth }) => `${depth} ${url}`);

test("pages that link in a circle are each fetched once", async () => {
  const result = await run(open(CIRCLE));

  expect(visited(result)).toEqual([
    `0 ${page("a")}`,
    `1 ${page("b")}`,
    `1 ${page("c")}`,
    `2 ${page("d")}`,
  ]);
  expect(fetched.toSorted()).toEqual(["a", "b", "c", "d"].map(page));
});

test.each([
  [0, ["a"]],
  [1, ["a", "b", "c"]],
  [2, ["a", "b", "c", "d"]],
])("depth %i reaches %j", async (depth, names) => {
  const { pages } = await run(open(CIRCLE), { depth });
  expect(pages.map(({ url }) => url)).toEqual(names.map(page));
});

test("exactly as many pages as allowed are accepted, and the others counted", async () => {
  const links = Array.from({ length: 10 }, (_, i) => page(`p${i}`));
  const { pages, leftOut } = await run(open({ a: { links } }), { maxPages: 7 });

  expect(pages.map(({ url }) => url)).toEqual([page("a"), ...links.slice(0, 6)]);
  expect(leftOut).toBe(4);
  expect(fetched).toHaveLength(7);
});

test("a redirect stays on its level, and one that goes in circles ends", async () => {
  const web: Web = {
    a: { links: [page("old")] },
    old: { status: 301, redirect: page("new") },
    new: { status: 301, redirect: page("old"), links: [page("too-deep")] },
  };
  const result = await run(open(web), { depth: 1 });
  expect(visited(result)).toEqual([`0 ${page("a")}`, `1 ${page("old")}`, `1 ${page("new")}`]);
});

test("a page that a redirect leads to sooner than a link is not visited later for it", async () => {
  const web: Web = {
    a: { links: [page("b"), page("old")] },
    b: { links: [page("new")] },
    old: { status: 301, redirect: page("new") },
    new: { links: [page("c")] },
  };
  const result = await run(open(web), { depth: 2 });
  expect(visited(result)).toEqual([
    `0 ${page("a")}`,
    `1 ${page("b")}`,
    `1 ${page("old")}`,
    `1 ${page("new")}`,
    `2 ${page("c")}`,
  ]);
});

test("the same run in the next process fetches nothing again; another run fetches all", async () => {
  const first = open(CIRCLE);
  const result = await run(first);
  await first.stop();
  fetched = [];

  const second = open(CIRCLE);
  expect(await run(second)).toEqual(result);
  expect(fetched).toEqual([]);

  await run(second, { run: "another" });
  expect(fetched).toHaveLength(4);
});
