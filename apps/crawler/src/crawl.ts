/**
 * The durable function. `frontier.ts` owns which pages are accepted, `fetch-page.ts` what happens to one of them.
 *
 * One function coordinates, level by level, and pages never wait for pages. If each page called the pages it links
 * to, two that link to each other would wait for each other for ever, and `maxPages` would have no owner.
 */
import { type Context, type Durable, Exponential } from "@resonate-ts/sdk";
import type { FetchedPage } from "./fetch-page.ts";
import { Frontier, type Visit } from "./frontier.ts";
import { pageId } from "./page-id.ts";

/** The group of processes that fetch pages. */
export const GROUP = "crawlers";

/** How many pages are under way at once. */
const CONCURRENCY = 4;
/** A page that gives no answer is tried again after 1 s, 2 s and 4 s; then the record says that it cannot be had. */
const RETRIES = new Exponential({ delay: 500, maxRetries: 3 });

export interface CrawlRequest {
  /** Names this crawl: a page is fetched once per run. */
  readonly run: string;
  /** Where to begin; canonical. */
  readonly url: string;
  /** How many links away from there to go. 0: that page only. */
  readonly depth: number;
  /** How many URLs are visited at most, those that cannot be had included. */
  readonly maxPages: number;
  /** Loopback and private addresses may be visited, whichever process does it. */
  readonly allowPrivate: boolean;
}

/** What came of a page. Exactly one per accepted URL. */
export interface PageRecord extends Visit {
  /** The HTTP status; absent when there was no answer. */
  readonly status?: number;
  readonly title?: string;
  /** Size of the body, decompressed; 0 when it was not read. */
  readonly bytes: number;
  readonly ms: number;
  /** Why there is nothing to show for it. */
  readonly problem?: string;
}

export interface CrawlResult {
  /** In the order in which they were accepted. */
  readonly pages: readonly PageRecord[];
  /** URLs that were found and not accepted, because there were `maxPages` already. */
  readonly leftOut: number;
}

/** Visits a site. */
export function* crawl(ctx: Context, request: CrawlRequest): Durable<CrawlResult> {
  const frontier = new Frontier(request);
  const pages: PageRecord[] = [];
  for (const chunk of frontier.chunks(CONCURRENCY)) {
    // All of them start here; then they are waited for, one after another.
    const started = chunk.map((visit) => ({
      visit,
      page: fetchDurably(ctx, request, visit.url),
    }));
    for (const { visit, page } of started) {
      try {
        const fetched = yield* page;
        pages.push(recordOf(visit, fetched));
        frontier.add(visit, fetched);
      } catch (error) {
        pages.push({ ...visit, bytes: 0, ms: 0, problem: messageOf(error) });
      }
    }
  }
  return { pages, leftOut: frontier.leftOut };
}

function fetchDurably(ctx: Context, { run, allowPrivate }: CrawlRequest, url: string) {
  const id = pageId(run, url);
  const options = ctx.options({ id, target: GROUP, retryPolicy: RETRIES });
  return ctx.rpc<FetchedPage>("fetchPage", url, { run, allowPrivate }, options);
}

function recordOf(visit: Visit, { status, title, bytes, ms, problem }: FetchedPage): PageRecord {
  return {
    ...visit,
    ...(status !== undefined && { status }),
    ...(title && { title }),
    bytes,
    ms,
    ...(problem && { problem }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
