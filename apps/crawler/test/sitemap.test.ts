import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { readSitemap } from "../src/fetch-sitemap.ts";
import { openCrawlerLab } from "./crawler-lab.ts";
import { serve } from "./site.ts";

const URL_OF_SITEMAP = "http://site.test/sitemap.xml";
const read = (xml: string | Buffer) =>
  readSitemap(Buffer.from(xml), URL_OF_SITEMAP, { sortQuery: false });
const urlset = (...urls: string[]) =>
  `<urlset>${urls.map((url) => `<url><loc>${url}</loc><lastmod>x</lastmod></url>`).join("")}</urlset>`;

test("a sitemap names pages, an index names sitemaps", () => {
  const xml = `<?xml version="1.0"?>${urlset("/a#b", " /b?x=1&amp;y=2 ", "/a", "ftp://x/")}`;
  expect(read(xml)).toEqual({
    pages: ["http://site.test/a", "http://site.test/b?x=1&y=2"],
    sitemaps: [],
  });
  expect(read(`<sitemapindex><sitemap><loc>/s.xml</loc></sitemap></sitemapindex>`)).toEqual({
    pages: [],
    sitemaps: ["http://site.test/s.xml"],
  });
});

test("a file may be gzipped; one that is broken or swells beyond 10 MiB is empty", () => {
  expect(read(gzipSync(urlset("/a"))).pages).toEqual(["http://site.test/a"]);
  expect(read(gzipSync(urlset("/a")).subarray(0, 20)).pages).toEqual([]);
  const bomb = gzipSync(
    Buffer.concat([Buffer.from(urlset("/a")), Buffer.alloc(11 * 2 ** 20, " ")]),
  );
  expect(read(bomb).pages).toEqual([]);
});

test("at most 2000 URLs are taken from a file", () => {
  const urls = Array.from({ length: 2_001 }, (_, i) => `/${i}`);
  expect(read(urlset(...urls)).pages).toHaveLength(2_000);
});

test("one that is nested without an end is read as far as a sitemap can mean anything", () => {
  const xml = `${urlset("/a")}${"<a>".repeat(3_000_000)}${urlset("/b")}`;
  expect(read(xml).pages).toEqual(["http://site.test/a"]);
});

test("entities of its own are not expanded", () => {
  const xml = `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hosts">]>${urlset("/&e;")}`;
  expect(read(xml).pages.join()).not.toContain("localhost");
});

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Crawls a site of these files; its first page links nowhere. */
async function crawl(files: Readonly<Record<string, string>>, sitemaps = true) {
  const asked: string[] = [];
  const server = await serve(({ url = "" }, response) => {
    asked.push(url);
    const file = url === "/" ? "<p>" : files[url];
    if (file === undefined) return response.writeHead(404).end();
    return response.setHeader("Content-Type", "text/html").end(file);
  });
  const lab = await openCrawlerLab();
  open.push(lab, server);
  const url = `http://127.0.0.1:${server.port}/`;
  const { pages } = await lab.crawl({ url, allowPrivate: true, sitemaps });
  return { asked, accepted: pages.map((page) => new URL(page.url).pathname) };
}

test("pages that sitemaps name are crawled, through an index and from robots.txt", async () => {
  const { asked, accepted } = await crawl({
    "/robots.txt": "Sitemap: /index.xml\nSitemap: http://elsewhere.test/s.xml",
    "/index.xml": "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>",
    "/a.xml": urlset("/page"),
    "/page": "<p>",
    "/sitemap.xml": urlset("/not-asked"),
  });
  expect(asked).toEqual(["/robots.txt", "/index.xml", "/a.xml", "/", "/page"]);
  expect(accepted).toEqual(["/", "/page"]);
});

test("an index that names itself, or more than ten sitemaps, comes to an end", async () => {
  const names = ["/sitemap.xml", ...Array.from({ length: 20 }, (_, i) => `/${i}.xml`)];
  const index = names.map((name) => `<sitemap><loc>${name}</loc></sitemap>`).join("");
  const { asked } = await crawl({ "/sitemap.xml": `<sitemapindex>${index}</sitemapindex>` });
  expect(asked.filter((path) => path.endsWith(".xml"))).toHaveLength(10);
});

test("none is read when that is not wanted", async () => {
  const { asked } = await crawl({ "/sitemap.xml": urlset("/page") }, false);
  expect(asked).toEqual(["/robots.txt", "/"]);
});
