/**
 * Which pages of a crawl are accepted.
 *
 * I1. It follows from what the pages hold alone, in the order of their links, so a replay and any number of workers
 *     accept the same pages.
 * I2. A URL is accepted once, and at most `maxPages` are.
 */
import type { CrawlRequest } from "./crawl.ts";
import type { FetchedPage } from "./fetch-page.ts";

/** A page that was accepted. */
export interface Visit {
  readonly url: string;
  /** Links away from the first page; a redirect does not count as one. */
  readonly depth: number;
  /** The page that linked here first; absent for the first page. */
  readonly parent?: string;
}

/** The URLs found so far: a level is used up before the next begins. */
export class Frontier {
  readonly #request: CrawlRequest;
  readonly #seen = new Set<string>();
  readonly #level: Visit[] = [];
  /** By URL. */
  readonly #nextLevel = new Map<string, Visit>();
  #accepted = 0;
  #leftOut = 0;

  constructor(request: CrawlRequest) {
    this.#request = request;
    this.#offer({ url: request.url, depth: 0 });
    this.#descend();
  }

  /** URLs that were found and not accepted, because there were `maxPages` already. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** What to visit next, at most `size` at a time, until all has been visited. Add what a chunk leads to before the next. */
  *chunks(size: number): Generator<readonly Visit[], void> {
    for (let chunk = this.#take(size); chunk.length > 0; chunk = this.#take(size)) yield chunk;
  }

  /** Adds what a page leads to. A redirect leads to the same level: it is the same click. */
  add({ url: parent, depth }: Visit, { links, redirect }: FetchedPage): void {
    if (redirect !== undefined) this.#offerNow({ url: redirect, depth, parent });
    if (depth === this.#request.depth) return;
    for (const url of links) this.#offer({ url, depth: depth + 1, parent });
  }

  #take(count: number): readonly Visit[] {
    if (this.#level.length === 0) this.#descend();
    return this.#level.splice(0, count);
  }

  #descend(): void {
    this.#level.push(...this.#nextLevel.values());
    this.#nextLevel.clear();
  }

  /** Puts a URL on the next level, if it is new and there is room for it. */
  #offer(visit: Visit): void {
    if (this.#seen.has(visit.url)) return;
    this.#seen.add(visit.url);
    if (this.#accepted === this.#request.maxPages) {
      this.#leftOut++;
    } else {
      this.#accepted++;
      this.#nextLevel.set(visit.url, visit);
    }
  }

  /** As `#offer`, but on this level, also when it was to come on the next one. */
  #offerNow(visit: Visit): void {
    this.#offer(visit);
    if (this.#nextLevel.delete(visit.url)) this.#level.push(visit);
  }
}
