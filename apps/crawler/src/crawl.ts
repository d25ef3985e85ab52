/**
 * The durable function that coordinates a crawl. `frontier.ts` owns which URLs are accepted, `visit-host.ts` the pace
 * at which a host is asked.
 *
 * Pages never wait for pages. If each page called the pages it links to, two that link to each other would wait for
 * each other for ever, and `maxPages` would have no owner.
 */
import type { Context, Durable } from "@resonate-ts/sdk";
import type { FetchedPage } from "./fetch-page.ts";
import { Frontier, type Visit } from "./frontier.ts";
import { sitemapsId } from "./page-id.ts";
import type { CrawlRequest } from "./request.ts";
import type { HostVisit } from "./visit-host.ts";

/** The group of processes that crawl. */
export const GROUP = "crawlers";

/** Most pages of a host that one process is given at once. */
const BATCH_MAX = 25;
/** How long one call may take: at the slowest pace, 25 pages that are each tried four times. In ms. */
const TIMEOUT_MS = 7 * 24 * 60 * 60 * 1_000;

/** The whole of a crawl is in the records of its pages; see `collect`. */
export interface CrawlResult {
  /** How many URLs were accepted. */
  readonly accepted: number;
}

/** How far a run is. */
export interface Standing {
  readonly accepted: number;
  /** Accepted and not visited yet. */
  readonly queued: number;
}

/** Told how far a run is, in the process that coordinates it; the dependency `standing`. */
export type TellStanding = (standing: Standing, request: CrawlRequest) => void;

/** Visits a site. */
export function* crawl(ctx: Context, request: CrawlRequest): Durable<CrawlResult> {
  const { maxDurationMs } = request;
  const until =
    maxDurationMs === undefined ? {} : { until: (yield* ctx.date.now()) + maxDurationMs };
  const frontier = new Frontier(request, yield* seedsOf(ctx, request));
  for (const wave of frontier.waves()) {
    const waiting = Map.groupBy(wave, hostOf);
    let queued = wave.length;
    while (waiting.size > 0) {
      ctx.getDependency<TellStanding>("standing")?.(
        { accepted: frontier.accepted, queued },
        request,
      );
      // All hosts at once; of each host one call, which is waited for before the next.
      const begun = [...waiting].map(([host, visits]) => {
        const urls = visits.slice(0, BATCH_MAX).map(({ url }) => url);
        return { host, visits, pages: visitDurably(ctx, { request, urls, ...until }) };
      });
      for (const { host, visits, pages } of begun) {
        const visited = yield* pages;
        for (const page of visited) frontier.add(page);
        queued -= visited.length;
        const rest = visits.slice(visited.length);
        if (rest.length > 0) waiting.set(host, rest);
        else waiting.delete(host);
      }
    }
  }
  return { accepted: frontier.accepted };
}

function* seedsOf(ctx: Context, request: CrawlRequest): Durable<readonly string[]> {
  if (!request.sitemaps || request.depth === 0) return [];
  const options = ctx.options({ id: sitemapsId(request.run), target: GROUP, timeout: TIMEOUT_MS });
  return yield* ctx.rpc<readonly string[]>("findSitemapPages", request, options);
}

function visitDurably(ctx: Context, visit: HostVisit) {
  const options = ctx.options({ target: GROUP, timeout: TIMEOUT_MS });
  return ctx.rpc<readonly FetchedPage[]>("visitHost", visit, options);
}

function hostOf({ url }: Visit): string {
  return new URL(url).host;
}
