import { afterEach, expect, test } from "vitest";
import { type CrawlerLab, openCrawlerLab } from "./crawler-lab.ts";
import { type FakeWeb, openFakeWeb } from "./fake-web.ts";

let web: FakeWeb;
let lab: CrawlerLab;

afterEach(async () => {
  await lab.close();
  await web.close();
});

async function open(
  options?: Parameters<typeof openFakeWeb>[0],
  { restartable = false, workers = 1 } = {},
): Promise<void> {
  web = await openFakeWeb(options);
  lab = await openCrawlerLab({
    restartable,
    workers,
    connectTo: [{ name: "*.web.test", address: "127.0.0.1", port: web.port }],
  });
}

test("the page set is the model's, and every page was asked for once, but for those that refused", async () => {
  await open();

  const { pages, refused } = await lab.crawl({ url: web.start, maxPages: 1_000, depth: 4 });

  const urls = pages.map(({ url }) => url);
  expect(new Set(urls)).toEqual(web.model(4));
  expect(urls.length).toBe(web.model(4).size);
  expect(urls.length).toBeGreaterThan(150);
  const asked = web.log.map(({ host, path }) => `http://${host}${path}`);
  const again = asked.filter((url, at) => asked.indexOf(url) !== at);
  expect(again.every((url) => url.endsWith("/busy"))).toBe(true);
  expect(asked.filter((url) => url.includes("/private/"))).toEqual([]);
  expect(asked.filter((url) => url.endsWith("/unwanted"))).toEqual([]);
  const reasons = new Set([...pages, ...refused].map(({ skippedReason }) => skippedReason));
  expect(reasons).toEqual(
    new Set([
      ...[undefined, "robots", "too large", "not HTML", "redirect loop"],
      ...["nofollow", "another site", "depth"],
    ]),
  );
});

test("one record per URL, also of what was not accepted", async () => {
  await open();
  const { pages, refused } = await lab.crawl({ url: web.start, maxPages: 40 });

  expect(pages).toHaveLength(40);
  const urls = [...pages, ...refused].map(({ url }) => url);
  expect(new Set(urls).size).toBe(urls.length);
  expect(refused.map(({ skippedReason }) => skippedReason)).toContain("max-pages");
});

test("a run that has been is read and not made again, and another run is made", async () => {
  await open({ hosts: 2, pagesPerHost: 3, strange: false }, { restartable: true });
  const first = await lab.crawl({ url: web.start });
  const requests = web.log.length;

  await lab.restart();
  expect(await lab.crawl({ url: web.start })).toEqual(first);
  expect(web.log.length).toBe(requests);

  await lab.crawl({ url: web.start, run: "another" });
  expect(web.log.length).toBe(2 * requests);
});

test("requests to a host do not overlap, and begin at least the delay apart", async () => {
  await open({ hosts: 3, pagesPerHost: 4 });
  const delayMs = 40;

  await lab.crawl({ url: web.start, delayMs, maxPages: 30 });

  const hosts = Map.groupBy(web.log, ({ host }) => host);
  expect(hosts.size).toBe(3);
  for (const requests of hosts.values()) {
    for (const [at, { at: startedAt }] of requests.entries()) {
      const before = requests[at - 1];
      if (!before) continue;
      // Timers may be a millisecond early.
      expect(startedAt - before.at).toBeGreaterThan(delayMs - 2);
      expect(startedAt).toBeGreaterThanOrEqual(before.endedAt ?? Number.POSITIVE_INFINITY);
    }
  }
});

test("after its time is over a run makes no more requests, and says so of every page", async () => {
  await open({ hosts: 1, pagesPerHost: 18, strange: false });
  const { pages } = await lab.crawl({
    url: web.start,
    delayMs: 50,
    maxDurationMs: 250,
    sitemaps: false,
  });

  expect(web.log.length).toBeLessThan(8);
  expect(pages.at(-1)?.skippedReason).toBe("max-duration");
  expect(pages.filter(({ status }) => status !== undefined).length).toBe(web.log.length - 1);
});
