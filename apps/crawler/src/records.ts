/** What came of a crawl, put together from the records of its pages. */
import type { Resonate } from "@resonate-ts/sdk";
import { z } from "zod";
import type { FetchedPage, NotRead } from "./fetch-page.ts";
import { Frontier, type Refused, type Visit } from "./frontier.ts";
import { pageId, sitemapsId } from "./page-id.ts";
import type { CrawlRequest } from "./request.ts";
import { unreachable } from "./visit-host.ts";

/** What came of one URL. There is exactly one for every URL that was found. */
export interface PageRecord {
  readonly url: string;
  /** Where redirects led in the end; the URL itself when there was none. */
  readonly finalUrl: string;
  readonly status?: number;
  readonly title?: string;
  readonly depth: number;
  readonly parent?: string;
  readonly bytes: number;
  readonly ms: number;
  readonly skippedReason?: NotRead | Refused | "redirect loop";
  readonly problem?: string;
}

export interface Crawled {
  /** In the order in which they were accepted. */
  readonly pages: readonly PageRecord[];
  /** Found and not accepted. */
  readonly refused: readonly PageRecord[];
  /** How many more were not accepted than are in `refused`. */
  readonly uncounted: number;
  /** Pairs of URLs in `pages`: the first links or redirects to the second. */
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** Pages of one wave that are read at once. */
const READS_AT_ONCE = 32;

/**
 * Reads a finished crawl. It takes the same decisions as `crawl` from the same records, so its result, which may be
 * large, need not be one value that a promise could hold.
 */
export async function collect(resonate: Resonate, request: CrawlRequest): Promise<Crawled> {
  const frontier = new Frontier(request, await seedsOf(resonate, request));
  const visits: Visit[] = [];
  const pages = new Map<string, FetchedPage>();
  for (const wave of frontier.waves()) {
    visits.push(...wave);
    for (let at = 0; at < wave.length; at += READS_AT_ONCE) {
      const some = wave.slice(at, at + READS_AT_ONCE);
      for (const page of await Promise.all(some.map(({ url }) => read(resonate, request, url)))) {
        frontier.add(page);
        pages.set(page.url, page);
      }
    }
  }
  return {
    pages: visits.map((visit) => recordOf(visit, pages)),
    refused: frontier.refused.map(({ reason, ...found }) => {
      return { ...found, finalUrl: found.url, bytes: 0, ms: 0, skippedReason: reason };
    }),
    uncounted: frontier.uncounted,
    edges: [...pages.values()].flatMap(({ url, links, redirect }) =>
      (redirect === undefined ? links : [redirect])
        .filter((to) => pages.has(to))
        .map((to) => [url, to] as const),
    ),
  };
}

async function seedsOf(resonate: Resonate, { run, sitemaps, depth }: CrawlRequest) {
  if (!sitemaps || depth === 0) return [];
  return z.array(z.string()).parse((await resonate.promises.getValue(sitemapsId(run))).value);
}

async function read(resonate: Resonate, { run }: CrawlRequest, url: string): Promise<FetchedPage> {
  const { state, value } = await resonate.promises.getValue(pageId(run, url));
  // A resolved one holds what `fetchPage` returned.
  return state === "resolved" ? (value as FetchedPage) : unreachable(url, value ?? state);
}

function recordOf(visit: Visit, pages: ReadonlyMap<string, FetchedPage>): PageRecord {
  const { url, depth, parent } = visit;
  const { status, title, bytes = 0, ms = 0, skippedReason, problem } = pages.get(url) ?? {};
  const { finalUrl, loops } = endOf(url, pages);
  return {
    url,
    finalUrl,
    ...(status !== undefined && { status }),
    ...(title && { title }),
    depth,
    ...(parent !== undefined && { parent }),
    bytes,
    ms,
    ...(loops ? { skippedReason: "redirect loop" as const } : skippedReason && { skippedReason }),
    ...(problem !== undefined && { problem }),
  };
}

function endOf(url: string, pages: ReadonlyMap<string, FetchedPage>) {
  const seen = new Set<string>();
  let finalUrl = url;
  for (let next: string | undefined = url; next !== undefined; next = pages.get(next)?.redirect) {
    if (seen.has(next)) return { finalUrl, loops: true };
    seen.add(next);
    finalUrl = next;
  }
  return { finalUrl, loops: false };
}
