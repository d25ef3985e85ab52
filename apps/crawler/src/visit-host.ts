/**
 * A durable function: pages of one host, one after another.
 *
 * I1. A run has at most one call of it under way per host (`crawl` sees to that), and it makes one request at a time.
 * I2. Before every request a whole delay passes in the process that makes it, also when that process has just taken
 *     over. So requests to a host never overlap and never start closer to each other than the delay, whichever
 *     processes make them and whenever they are killed. No clocks are compared.
 */
import type { Context, Durable } from "@resonate-ts/sdk";
import { type FetchedPage, fetchPage } from "./fetch-page.ts";
import { pageId, robotsId } from "./page-id.ts";
import type { CrawlRequest } from "./request.ts";
import { fetchRobots, type Robots, robotsOf } from "./robots.ts";

/** A result is one durable value: beyond this many characters the rest is left for the next call. */
const RESULT_LENGTH_MAX = 400_000;

export interface HostVisit {
  readonly request: CrawlRequest;
  /** Canonical, all of one host. */
  readonly urls: readonly string[];
  /** When the run must end, in ms since the epoch; absent when it need not. */
  readonly until?: number;
}

/**
 * Visits pages of one host, each once per run: a page's promise is named after the run and the URL.
 *
 * @returns the first pages of `urls`, at least one. Pages with many links do not all fit into one result; call it again
 *   for the others.
 */
export function* visitHost(ctx: Context, visit: HostVisit): Durable<readonly FetchedPage[]> {
  const { request, urls, until } = visit;
  const pages: FetchedPage[] = [];
  const known = new Map<string, Robots>();
  let length = 0;
  for (const url of urls) {
    if (length > RESULT_LENGTH_MAX) break;
    const { origin } = new URL(url);
    const robots = known.get(origin) ?? (yield* readRobots(ctx, request, origin));
    known.set(origin, robots);
    const page = yield* visitPage(ctx, url, {
      request,
      delayMs: Math.max(request.delayMs, robots.crawlDelayMs),
      disallowed: robots.problem(url),
      until,
    });
    pages.push(page);
    length += JSON.stringify(page).length;
  }
  return pages;
}

function* visitPage(
  ctx: Context,
  url: string,
  turn: Parameters<typeof fetchPage>[2],
): Durable<FetchedPage> {
  try {
    const id = pageId(turn.request.run, url);
    return yield* ctx.run(fetchPage, url, turn, ctx.options({ id }));
  } catch (error) {
    return unreachable(url, error);
  }
}

/** A page whose promise was canceled or ran out of time is one that could not be had. */
export function unreachable(url: string, error: unknown): FetchedPage {
  const problem = error instanceof Error ? error.message : String(error);
  return { url, links: [], nofollow: [], bytes: 0, ms: 0, skippedReason: "unreachable", problem };
}

/** Read once per run; a file that could not be had is asked for again by each later call. */
function* readRobots(ctx: Context, request: CrawlRequest, origin: string): Durable<Robots> {
  const options = ctx.options({ id: robotsId(request.run, origin) });
  const first = yield* ctx.run(fetchRobots, origin, request, options);
  if (first.kind !== "unavailable") return robotsOf(origin, first);
  return robotsOf(origin, yield* ctx.run(fetchRobots, origin, request));
}
