/** Crawlers in the process of a test. */
import { type Lab, openLab } from "@resonate-ts/testing";
import { type CrawlResult, crawl, GROUP } from "../src/crawl.ts";
import type { FetchedPage } from "../src/fetch-page.ts";
import { findSitemapPages } from "../src/find-sitemap-pages.ts";
import { crawlId } from "../src/page-id.ts";
import { type Crawled, collect } from "../src/records.ts";
import { type CrawlRequest, DEFAULTS } from "../src/request.ts";
import { visitHost } from "../src/visit-host.ts";
import { openWeb, type Web, type WebOptions } from "../src/web.ts";

export interface CrawlerLabOptions extends WebOptions {
  /** Processes that crawl. Default 1. */
  readonly workers?: number;
  /** Records are kept in a file, for `restart`. Default false: in memory. */
  readonly restartable?: boolean;
}

/** Opens crawlers and their server, all in this process; they ask the web as they do in earnest. */
export async function openCrawlerLab({
  workers = 1,
  restartable = false,
  ...options
}: CrawlerLabOptions = {}): Promise<CrawlerLab> {
  const web = openWeb({ ...options, limits: { retryMs: 10, ...options.limits } });
  const fetched: FetchedPage[] = [];
  const lab = await openLab({
    workers,
    group: GROUP,
    // Requests take the time that they take.
    clock: "system",
    restartable,
    register(resonate) {
      resonate.setDependency("web", web);
      resonate.setDependency("fetched", (page: FetchedPage) => fetched.push(page));
      resonate.register(crawl);
      resonate.register(findSitemapPages);
      resonate.register(visitHost);
    },
  });
  return new CrawlerLab(lab, web, fetched);
}

export class CrawlerLab {
  readonly lab: Lab;
  /** What was fetched or skipped here, in order. */
  readonly fetched: readonly FetchedPage[];
  readonly #web: Web;

  constructor(lab: Lab, web: Web, fetched: readonly FetchedPage[]) {
    this.lab = lab;
    this.#web = web;
    this.fetched = fetched;
  }

  /** Crawls without a pause between requests, unless told otherwise. */
  async crawl(request: Partial<CrawlRequest> & { readonly url: string }): Promise<Crawled> {
    const whole = { ...DEFAULTS, run: "r", delayMs: 0, ...request };
    await this.lab.run<CrawlResult>(crawlId(whole.run), "crawl", whole);
    return collect(this.lab.client, whole);
  }

  /** Kills every process and the server, and starts them again. */
  async restart(): Promise<void> {
    for (const worker of this.lab.workers) worker.crash();
    await this.lab.server.stop();
    await this.lab.server.start();
    for (const worker of this.lab.workers) worker.start();
  }

  async close(): Promise<void> {
    await this.lab.close();
    await this.#web.close();
  }
}
