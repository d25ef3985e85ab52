/**
 * Which URLs of a crawl are accepted.
 *
 * I1. It follows from what the pages hold alone, in the order in which they were accepted, so a replay and any number
 *     of workers accept the same pages.
 * I2. A URL is accepted once, and at most `maxPages` are, at most `maxPerHost` of them of one host.
 */
import type { FetchedPage } from "./fetch-page.ts";
import type { CrawlRequest } from "./request.ts";
import { type OutOfScope, Scope } from "./scope.ts";

/** Most redirects in a row. */
const REDIRECTS_MAX = 5;
/** Most URLs that were not accepted whose reasons are kept; what is beyond is counted only. */
const REFUSED_MAX = 20_000;

/** A page that was accepted. */
export interface Visit {
  readonly url: string;
  /** Links away from the first page; a redirect does not count as one. */
  readonly depth: number;
  /** The page that led here first; absent for the first page, and for what a sitemap names. */
  readonly parent?: string;
  /** Redirects in a row that led here. */
  readonly redirects: number;
}

/** Why a URL that was found was not accepted. */
export type Refused =
  | OutOfScope
  | "nofollow"
  | "depth"
  | "max-pages"
  | "max-per-host"
  | "too many redirects";

export interface Refusal {
  readonly url: string;
  readonly depth: number;
  readonly parent?: string;
  readonly reason: Refused;
}

export class Frontier {
  readonly #request: CrawlRequest;
  readonly #scope: Scope;
  readonly #seeds: readonly string[];
  readonly #accepted = new Set<string>();
  readonly #perHost = new Map<string, number>();
  readonly #refused = new Map<string, Refusal>();
  /** What the pages of this level hold, by URL, until their links have been taken. */
  readonly #pages = new Map<string, FetchedPage>();
  #uncounted = 0;

  /** `seeds`: canonical URLs that count as linked from the first page, after its own links. */
  constructor(request: CrawlRequest, seeds: readonly string[]) {
    this.#request = request;
    this.#scope = new Scope(request);
    this.#seeds = seeds;
  }

  /** How many URLs are accepted so far. */
  get accepted(): number {
    return this.#accepted.size;
  }

  /** Found and not accepted so far, each once. */
  get refused(): readonly Refusal[] {
    return [...this.#refused.values()];
  }

  /** How many more were found that are not in `refused`, repetitions included. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /** What to fetch, wave by wave, until all has been visited. Add every page of a wave before the next. */
  *waves(): Generator<readonly Visit[], void> {
    this.#accepted.add(this.#request.url);
    this.#perHost.set(new URL(this.#request.url).host, 1);
    let level: readonly Visit[] = [{ url: this.#request.url, depth: 0, redirects: 0 }];
    while (level.length > 0) {
      const visited: Visit[] = [];
      // Where redirects lead is on the same level: it is the same click.
      for (let wave = level; wave.length > 0; wave = this.#redirectsOf(wave)) {
        yield wave;
        visited.push(...wave);
      }
      level = this.#linksOf(visited);
      this.#pages.clear();
    }
  }

  add(page: FetchedPage): void {
    this.#pages.set(page.url, page);
  }

  #redirectsOf(wave: readonly Visit[]): Visit[] {
    return wave.flatMap(({ url: parent, depth, redirects }) => {
      const url = this.#pages.get(parent)?.redirect;
      return url === undefined ? [] : this.#offer({ url, depth, parent, redirects: redirects + 1 });
    });
  }

  #linksOf(level: readonly Visit[]): Visit[] {
    const next: Visit[] = [];
    for (const { url: parent, depth } of level) {
      const { links = [], nofollow = [] } = this.#pages.get(parent) ?? {};
      const visit = (url: string) => ({ url, depth: depth + 1, parent, redirects: 0 });
      for (const url of links) next.push(...this.#offer(visit(url)));
      for (const url of nofollow) this.#refuse(visit(url), "nofollow");
    }
    if (level[0]?.depth !== 0) return next;
    const seeds = this.#seeds.map((url) => ({ url, depth: 1, redirects: 0 }));
    return [...next, ...seeds.flatMap((seed) => this.#offer(seed))];
  }

  /** The visit, if it is accepted now. */
  #offer(visit: Visit): readonly Visit[] {
    const { url } = visit;
    if (this.#accepted.has(url)) return [];
    const reason = this.#problem(visit);
    if (reason) {
      this.#refuse(visit, reason);
      return [];
    }
    const { host } = new URL(url);
    this.#accepted.add(url);
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
    this.#refused.delete(url);
    return [visit];
  }

  #problem({ url, depth, redirects }: Visit): Refused | undefined {
    const outside = this.#scope.problem(url);
    if (outside) return outside;
    if (depth > this.#request.depth) return "depth";
    if (redirects > REDIRECTS_MAX) return "too many redirects";
    if (this.#accepted.size >= this.#request.maxPages) return "max-pages";
    const ofHost = this.#perHost.get(new URL(url).host) ?? 0;
    return ofHost >= this.#request.maxPerHost ? "max-per-host" : undefined;
  }

  #refuse({ url, depth, parent }: Visit, reason: Refused): void {
    if (this.#accepted.has(url) || this.#refused.has(url)) return;
    if (this.#refused.size === REFUSED_MAX) this.#uncounted++;
    else this.#refused.set(url, { url, depth, ...(parent && { parent }), reason });
  }
}
