import { afterEach, beforeEach, expect, test } from "vitest";
import { isPublic, isWebPort } from "../src/addresses.ts";
import type { Crawled } from "../src/records.ts";
import { type CrawlerLab, openCrawlerLab } from "./crawler-lab.ts";
import { serve, type TestServer } from "./site.ts";

test.each([
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254"],
  ...["172.16.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
  ...["192.0.0.1", "192.0.2.1", "203.0.113.1", "240.0.0.1", "192.88.99.1"],
  ...["::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"],
  ...[
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
  ],
  ...["64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "not an address", ""],
])("%s is not a public address", (address) => {
  expect(isPublic(address)).toBe(false);
});

test.each([
  ...["1.1.1.1", "9.255.255.255", "100.63.255.255", "172.15.255.255", "172.32.0.1"],
  ...["223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"],
])("%s is a public address", (address) => {
  expect(isPublic(address)).toBe(true);
});

test.each([0, 1, 21, 22, 25, 79, 81, 442, 1_023, 3_306, 5_432, 6_000, 6_379, 11_211])(
  "nothing of the web is at port %i",
  (port) => {
    expect(isWebPort(port)).toBe(false);
  },
);

test.each([80, 443, 1_024, 3_000, 8_080, 8_443, 65_535])("port %i may be of the web", (port) => {
  expect(isWebPort(port)).toBe(true);
});

/** Nobody may connect to it. */
let canary: TestServer;
let site: TestServer;
let lab: CrawlerLab;
/** Names that were looked up. */
let resolved: string[];
/** What the site answers, by path. */
let files: Record<string, string | { readonly location: string }>;

beforeEach(async () => {
  files = {};
  resolved = [];
  canary = await serve((_, response) => response.end("<a href='/caught'>"));
  site = await serve(({ url = "" }, response) => {
    const file = files[url];
    if (typeof file === "object") return response.writeHead(302, { Location: file.location }).end();
    if (file === undefined) return response.writeHead(404).end();
    const type = url.endsWith(".xml") ? "application/xml" : "text/html";
    return response.setHeader("Content-Type", type).end(file);
  });
  lab = await openCrawlerLab({
    connectTo: [{ name: "www.web.test", address: "127.0.0.1", port: site.port }],
    resolve: (hostname, callback) => {
      resolved.push(hostname);
      const addresses = NAMES[hostname] ?? [];
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    },
  });
});
afterEach(async () => {
  await lab.close();
  await site.close();
  await canary.close();
});

/**
 * What the names of a hostile site lead to: all to this machine, so that a guard that fails is seen here and nothing
 * leaves the machine. Which other addresses are refused is the table above.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "loopback.web.test": ["127.0.0.1"],
  "other-loopback.web.test": ["127.9.9.9"],
  "loopback6.web.test": ["::1"],
  "mapped.web.test": ["::ffff:127.0.0.1"],
  "any.web.test": ["0.0.0.0"],
  "several.web.test": ["::1", "127.0.0.1"],
  "loopback.web.test.": ["127.0.0.1"],
};

const START = "http://www.web.test/";

/** Ways in which a page may lead to a URL. */
const WAYS: Readonly<Record<string, (url: string) => void>> = {
  "a link": (url) => {
    files["/"] = `<a href="${url}">`;
  },
  "a redirect": (url) => {
    files["/"] = `<a href="/r">`;
    files["/r"] = { location: url };
  },
  "two redirects": (url) => {
    files["/"] = `<a href="/r">`;
    files["/r"] = { location: "/s" };
    files["/s"] = { location: url };
  },
  "<base>": (url) => {
    files["/"] = `<base href="${url}"><a href="">`;
  },
  "a sitemap": (url) => {
    files["/"] = "<p>";
    files["/sitemap.xml"] = `<urlset><url><loc>${url}</loc></url></urlset>`;
  },
};

test.each(
  Object.keys(WAYS).flatMap((way) => Object.keys(NAMES).map((name) => [way, name] as const)),
)("%s to %s is not followed, and no connection is made", async (way, name) => {
  const url = `http://${name}:${canary.port}/`;
  WAYS[way]?.(url);

  const crawled = await lab.crawl({ url: START });

  expect(canary.connections()).toBe(0);
  expect(reasonOf(crawled, url)).toBe("forbidden address");
  expect(crawled.pages.find((page) => page.url === url)?.problem).toContain("not a public address");
});

test.each(Object.keys(WAYS))("%s to an address is off the site", async (way) => {
  const url = `http://127.0.0.1:${canary.port}/`;
  WAYS[way]?.(url);

  const crawled = await lab.crawl({ url: START });

  expect(canary.connections()).toBe(0);
  // What a sitemap names of other sites is not looked at any further.
  expect(reasonOf(crawled, url)).toBe(way === "a sitemap" ? undefined : "another site");
});

test.each([
  ["robots.txt is redirected", () => ({ "/robots.txt": { location: canaryUrl() } })],
  ["robots.txt names a sitemap", () => ({ "/robots.txt": `Sitemap: ${canaryUrl()}` })],
  ["a sitemap is redirected", () => ({ "/sitemap.xml": { location: canaryUrl() } })],
  [
    "an index names a sitemap",
    () => ({
      "/sitemap.xml": `<sitemapindex><sitemap><loc>${canaryUrl()}</loc></sitemap></sitemapindex>`,
    }),
  ],
  [
    "a picture has other sources",
    () => ({ "/": `<img src="${canaryUrl()}" srcset="${canaryUrl()} 2x">` }),
  ],
  [
    "a page is refreshed",
    () => ({ "/": `<meta http-equiv="refresh" content="0;url=${canaryUrl()}">` }),
  ],
])("no connection is made when %s", async (_, hostile) => {
  Object.assign(files, { "/": "<p>" }, hostile());

  await lab.crawl({ url: START });

  expect(canary.connections()).toBe(0);
});

test.each([22, 25, 6_379])("no name is resolved for port %i", async (port) => {
  files["/"] = `<a href="http://loopback.web.test:${port}/">`;

  const crawled = await lab.crawl({ url: START });

  expect(resolved).toEqual([]);
  const [page] = crawled.pages.filter(({ url }) => url !== START);
  expect(page).toMatchObject({ skippedReason: "forbidden address" });
  expect(page?.problem).toContain(`loopback.web.test:${port} is no port of the web`);
});

test.each([
  "http://www.web.test@loopback.web.test:PORT/",
  "http://LOOPBACK.web.test:PORT/",
  "http://loopback.web.test.:PORT/",
  "http://loopback&#x3002;web.test:PORT/",
  "http:\\\\loopback.web.test:PORT\\",
  "//loopback.web.test:PORT",
  "http://&#xff4c;oopback.web.test:PORT/",
  "\thttp://loop\nback.web.test:PORT/",
])("however %j is spelled, no connection is made", async (spelling) => {
  files["/"] = `<a href="${spelling.replace("PORT", String(canary.port))}">`;

  const { pages } = await lab.crawl({ url: START });

  expect(canary.connections()).toBe(0);
  expect(pages.map(({ skippedReason }) => skippedReason)).toEqual([undefined, "forbidden address"]);
});

test("a name that leads elsewhere when it is asked for again is asked for once per connection", async () => {
  // The page and robots.txt of the name; what was checked is what was connected to, whatever it would be next.
  let asked = 0;
  const rebinding = await openCrawlerLab({
    resolve: (_, callback) =>
      callback(null, [{ address: ["127.0.0.1", "127.9.9.9"][asked++ % 2] ?? "", family: 4 }]),
  });
  try {
    const url = `http://rebinding.web.test:${canary.port}/`;
    const { pages } = await rebinding.crawl({ url, depth: 0, allowPrivate: true });
    expect(pages[0]).toMatchObject({ status: 200 });
    expect(asked).toBe(canary.connections());
  } finally {
    await rebinding.close();
  }
});

function canaryUrl(): string {
  return `http://loopback.web.test:${canary.port}/`;
}

test.each(["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])(
  "a crawl of %s makes no connection unless it is allowed",
  async (host) => {
    const url = new URL(`http://${host}:${canary.port}/`).href;
    const system = await openCrawlerLab();
    try {
      const refused = await system.crawl({ url, run: "refused" });
      expect(refused.pages[0]?.problem).toContain("not a public address");
      expect(canary.connections()).toBe(0);

      if (host.startsWith("[")) return;
      const allowed = await system.crawl({ url, run: "allowed", allowPrivate: true });
      expect(allowed.pages[0]).toMatchObject({ status: 200 });
    } finally {
      await system.close();
    }
  },
);

function reasonOf({ pages, refused }: Crawled, url: string): string | undefined {
  return [...pages, ...refused].find((page) => page.url === url)?.skippedReason;
}
