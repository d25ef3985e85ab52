/** What is left of a crawl when its processes are killed at any point. Nothing is asked of any network. */
import { crashAtEveryStep, type Lab, openLab } from "@resonate-ts/testing";
import { expect, test } from "vitest";
import { crawl, GROUP } from "../src/crawl.ts";
import { type FetchedPage, fetchPage } from "../src/fetch-page.ts";
import { fetchSitemap } from "../src/fetch-sitemap.ts";
import { findSitemapPages } from "../src/find-sitemap-pages.ts";
import { crawlId } from "../src/page-id.ts";
import { collect } from "../src/records.ts";
import { type CrawlRequest, DEFAULTS } from "../src/request.ts";
import { fetchRobots, type RobotsFile } from "../src/robots.ts";
import { visitHost } from "../src/visit-host.ts";

/** A web in which pages link in a circle, to another host, and to one by several ways. */
const WEB: Readonly<Record<string, readonly string[]>> = {
  "http://www.web.test/": ["http://www.web.test/a", "http://b.web.test/", "http://www.web.test/c"],
  "http://www.web.test/a": ["http://www.web.test/", "http://b.web.test/"],
  "http://www.web.test/c": ["http://www.web.test/a"],
  "http://b.web.test/": ["http://www.web.test/a", "http://b.web.test/d"],
  "http://b.web.test/d": ["http://www.web.test/e"],
  "http://www.web.test/e": [],
};
const REQUEST: CrawlRequest = { ...DEFAULTS, run: "r", url: "http://www.web.test/", depth: 5 };
const register = { crawl, findSitemapPages, visitHost };

/** Puts that web in the place of the real one. */
function standIn(lab: Lab, fetched: (url: string) => unknown = () => {}): void {
  lab.mock(fetchRobots, async (): Promise<RobotsFile> => ({ kind: "none" }));
  lab.mock(fetchSitemap, async () => ({ pages: [], sitemaps: [] }));
  lab.mock(fetchPage, async (_, url): Promise<FetchedPage> => {
    fetched(url);
    return { url, status: 200, links: WEB[url] ?? [], nofollow: [], bytes: 1, ms: 1 };
  });
}

test("a crawl is the same after a crash at any point", { timeout: 120_000 }, async () => {
  const { outcome, points } = await crashAtEveryStep(crawl, {
    args: [REQUEST],
    register,
    group: GROUP,
    before: standIn,
  });

  expect(outcome).toEqual({ kind: "value", value: { accepted: Object.keys(WEB).length } });
  expect(points.length).toBeGreaterThan(20);
});

test("however many processes crawl and are killed, every page has a record, and one is fetched again per kill at most", async () => {
  const fetches: string[] = [];
  let kills = 0;
  await using lab = await openLab({
    workers: 3,
    group: GROUP,
    register,
    onCall({ name, process }) {
      if (name !== "fetchPage" || fetches.length % 2 === 0 || kills === 3) return;
      kills++;
      const worker = lab.workers.find((one) => one.name === process);
      worker?.crash();
      lab.after("3s", () => worker?.start());
    },
  });
  standIn(lab, (url) => fetches.push(url));

  await lab.run(crawlId("r"), crawl, REQUEST);

  const { pages } = await collect(lab.client, REQUEST);
  expect(new Set(pages.map(({ url }) => url))).toEqual(new Set(Object.keys(WEB)));
  expect(pages).toHaveLength(Object.keys(WEB).length);
  expect(kills).toBe(3);
  expect(fetches.length).toBeLessThanOrEqual(pages.length + kills);
  expect(lab.enteredAgain).toEqual([]);
});
