/** A crawler in the process of a test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resonate } from "@resonate-ts/sdk";
import { type CrawlResult, crawl, GROUP } from "../src/crawl.ts";
import type { FetchedPage } from "../src/fetch-page.ts";
import { findSitemapPages } from "../src/find-sitemap-pages.ts";
import { crawlId } from "../src/page-id.ts";
import { type Crawled, collect } from "../src/records.ts";
import { type CrawlRequest, DEFAULTS } from "../src/request.ts";
import { visitHost } from "../src/visit-host.ts";
import { openWeb, type Web, type WebOptions } from "../src/web.ts";

export interface LabOptions extends WebOptions {
  /** Records are kept in a file, for `restart`. Default false: in memory. */
  readonly file?: boolean;
}

export class Lab {
  /** What was fetched or skipped here, in order. */
  readonly fetched: FetchedPage[] = [];
  readonly #folder: string | undefined;
  readonly #web: Web;
  #resonate: Resonate;

  constructor({ file = false, ...options }: LabOptions) {
    this.#folder = file ? mkdtempSync(join(tmpdir(), "crawler-")) : undefined;
    this.#web = openWeb({ ...options, limits: { retryMs: 10, ...options.limits } });
    this.#resonate = this.#open();
  }

  /** Crawls without a pause between requests, unless told otherwise. */
  async crawl(request: Partial<CrawlRequest> & { readonly url: string }): Promise<Crawled> {
    const whole = { ...DEFAULTS, run: "r", delayMs: 0, ...request };
    await this.#resonate.run<CrawlResult>(crawlId(whole.run), "crawl", whole);
    return collect(this.#resonate, whole);
  }

  /** The next process on the same file. */
  async restart(): Promise<void> {
    await this.#resonate.stop();
    this.#resonate = this.#open();
  }

  async close(): Promise<void> {
    await this.#resonate.stop();
    await this.#web.close();
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  #open(): Resonate {
    const place = this.#folder ? { path: join(this.#folder, "app.db") } : {};
    const resonate = new Resonate({ ...place, group: GROUP });
    resonate.setDependency("web", this.#web);
    resonate.setDependency("fetched", (page: FetchedPage) => this.fetched.push(page));
    resonate.register(crawl);
    resonate.register(findSitemapPages);
    resonate.register(visitHost);
    return resonate;
  }
}
