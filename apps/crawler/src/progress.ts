/** What this process says while it crawls. */
import { styleText } from "node:util";
import type { Standing } from "./crawl.ts";
import type { FetchedPage } from "./fetch-page.ts";
import { fateOf, pageLine } from "./report.ts";
import type { CrawlRequest } from "./request.ts";
import type { Terminal } from "./terminal.ts";

/** How many hosts the live line names. */
const HOSTS_SHOWN_MAX = 3;

/**
 * Counts what this process fetches for its run, and shows it: lines for people, or events for programs. It may fetch
 * pages of other runs too, which another process has begun: each of those is named once, and nothing of it is counted.
 */
export class Progress {
  /** How many answers this process got for its run. */
  answered = 0;
  readonly #run: string;
  readonly #terminal: Terminal;
  readonly #since = performance.now();
  readonly #others = new Set<string>();
  readonly #perHost = new Map<string, number>();
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #standing: Standing = { accepted: 0, queued: 0 };
  /** Pages since then. */
  #doneSince = 0;

  constructor(run: string, terminal: Terminal) {
    this.#run = run;
    this.#terminal = terminal;
  }

  readonly fetched = (page: FetchedPage, { run }: CrawlRequest): void => {
    if (run !== this.#run) {
      this.#other(run);
      return;
    }
    this.#count(page);
    const { links, nofollow, ...told } = page;
    this.#terminal.line(pageLine(page));
    this.#terminal.event("page", { ...told, links: links.length });
    this.#show();
  };

  /** How far the run is, from the process that coordinates it, when that is this one. */
  readonly standing = (standing: Standing, { run }: CrawlRequest): void => {
    if (run !== this.#run) return;
    this.#standing = standing;
    this.#doneSince = 0;
    this.#terminal.event("progress", this.#numbers());
    this.#show();
  };

  #count(page: FetchedPage): void {
    const { host } = new URL(page.url);
    const fate = fateOf(page);
    this.#done++;
    this.#doneSince++;
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
    if (page.status !== undefined) this.answered++;
    if (fate === "failed") this.#failed++;
    if (fate === "skipped") this.#skipped++;
  }

  #other(run: string): void {
    if (this.#others.has(run)) return;
    this.#others.add(run);
    this.#terminal.line(`Working on run ${run} too, which is not finished.`);
    this.#terminal.event("other", { run });
  }

  #numbers() {
    const seconds = (performance.now() - this.#since) / 1_000;
    return {
      done: this.#done,
      queued: Math.max(0, this.#standing.queued - this.#doneSince),
      failed: this.#failed,
      skipped: this.#skipped,
      pagesPerSecond: Math.round((this.#done / Math.max(seconds, 0.001)) * 10) / 10,
      perHost: Object.fromEntries(this.#perHost),
    };
  }

  #show(): void {
    const { done, queued, failed, skipped, pagesPerSecond } = this.#numbers();
    const hosts = [...this.#perHost].sort(([, a], [, b]) => b - a).slice(0, HOSTS_SHOWN_MAX);
    const perHost = hosts.map(([host, count]) => `${host} ${count}`).join(", ");
    const counts = `done ${done}  queued ${queued}  failed ${failed}  skipped ${skipped}`;
    this.#terminal.live(styleText("dim", `  ${counts}  ${pagesPerSecond} pages/s  ${perHost}`));
  }
}
