import { createHash } from "node:crypto";

/** Longest part of a path that an id shows. */
const PATH_SHOWN_MAX = 60;

/** The id of the durable promise of a run. */
export function crawlId(run: string): string {
  return `crawl-${run}`;
}

/**
 * The id of a page's durable promise: the run, the host and path for people to read, and a hash that stands for the
 * whole URL (which may be longer than an id, and contains ':', which an id may not).
 */
export function pageId(run: string, url: string): string {
  return `${crawlId(run)}/${shown(url)}#${hash(url)}`;
}

/** The id of what the robots.txt of an origin says to a run. */
export function robotsId(run: string, origin: string): string {
  return `${crawlId(run)}/${shown(origin)}robots.txt#${hash(origin)}-robots`;
}

/** The id of the search for a site's sitemaps. */
export function sitemapsId(run: string): string {
  return `${crawlId(run)}/sitemaps`;
}

function shown(url: string): string {
  const { hostname, pathname } = new URL(url);
  return `${hostname}${pathname}`.slice(0, PATH_SHOWN_MAX).replaceAll(":", "_");
}

function hash(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 16);
}
