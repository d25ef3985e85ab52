/** A durable function: what the sitemaps of a site name, before the crawl begins. */
import type { Context, Durable } from "@resonate-ts/sdk";
import { fetchSitemap } from "./fetch-sitemap.ts";
import { robotsId } from "./page-id.ts";
import type { CrawlRequest } from "./request.ts";
import { fetchRobots, robotsOf } from "./robots.ts";
import { Scope } from "./scope.ts";

/** Most sitemaps that are read, indexes included. */
const SITEMAPS_MAX = 10;
/** Most pages that are taken from all of them together: they are one durable result. */
const PAGES_MAX = 2_000;

/**
 * The pages of the site that its sitemaps name: those in its robots.txt, else `/sitemap.xml`. Only sitemaps of the host
 * where the crawl begins are read, one after another, so that the pace of the host is kept.
 */
export function* findSitemapPages(ctx: Context, request: CrawlRequest): Durable<readonly string[]> {
  const { origin, host } = new URL(request.url);
  const id = robotsId(request.run, origin);
  const file = yield* ctx.run(fetchRobots, origin, request, ctx.options({ id }));
  const robots = robotsOf(origin, file);
  const delayMs = Math.max(request.delayMs, robots.crawlDelayMs);
  const scope = new Scope(request);

  const own = (url: string) => URL.parse(url, origin)?.host === host;
  const named = robots.sitemaps.length > 0 ? robots.sitemaps : ["/sitemap.xml"];
  const queue = new Set(named.filter(own).map((url) => new URL(url, origin).href));
  const pages = new Set<string>();
  let read = 0;
  for (const url of queue) {
    // A list in robots.txt allows what it names; a guess has to be allowed.
    const guessed = robots.sitemaps.length === 0;
    if (guessed && robots.problem(url) !== undefined) break;
    if (file.kind === "unavailable" || read++ === SITEMAPS_MAX || pages.size >= PAGES_MAX) break;
    const sitemap = yield* ctx.run(fetchSitemap, url, { request, delayMs });
    // The loop goes on to what is added.
    for (const more of sitemap.sitemaps.filter(own)) queue.add(more);
    for (const page of sitemap.pages) if (!scope.problem(page)) pages.add(page);
  }
  return [...pages].slice(0, PAGES_MAX);
}
