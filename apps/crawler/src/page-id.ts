import { createHash } from "node:crypto";

/** Longest part of a path that an id shows. */
const PATH_SHOWN_MAX = 60;

/**
 * The id of a page's durable promise: the run, the path for people to read, and a hash that stands for the whole URL
 * (which may be longer than an id, and contains ':', which an id may not).
 */
export function pageId(run: string, url: string): string {
  const path = new URL(url).pathname.slice(0, PATH_SHOWN_MAX).replaceAll(":", "_");
  const hash = createHash("sha256").update(url).digest("hex").slice(0, 12);
  return `crawl-${run}${path}#${hash}`;
}
