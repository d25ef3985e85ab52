/** What a person reads, and what a program reads. */
import { styleText } from "node:util";
import type { CrawlResult, PageRecord } from "./crawl.ts";
import type { FetchedPage } from "./fetch-page.ts";

/** One line about a page that was just fetched. */
export function pageLine({ url, status, title, redirect, problem, ms }: FetchedPage): string {
  const color = colorOf(status);
  const what = redirect === undefined ? (problem ?? title ?? "") : `to ${redirect}`;
  const shownStatus = styleText(color, String(status ?? "---"));
  return `  ${shownStatus}  ${`${ms} ms`.padStart(7)}  ${url}  ${what}`.trimEnd();
}

function colorOf(status = 400): "green" | "yellow" | "red" {
  if (status < 300) return "green";
  return status < 400 ? "yellow" : "red";
}

/** What came of it all. `answeredNow`: how many answers this process itself got. */
export function summary({ pages, leftOut }: CrawlResult, answeredNow: number): string {
  const failed = pages.filter(notToBeHad).length;
  const redirects = pages.filter((page) => isRedirect(page) && !notToBeHad(page)).length;
  const depth = Math.max(0, ...pages.map((page) => page.depth));
  const before = pages.filter(({ status }) => status !== undefined).length - answeredNow;
  return [
    `${pages.length} ${pages.length === 1 ? "URL" : "URLs"} down to depth ${depth}. Pages: ${pages.length - redirects - failed}, redirects: ${redirects}, not to be had: ${failed}.`,
    ...(leftOut > 0 ? [`${leftOut} more were found and left out (--max-pages).`] : []),
    ...(before > 0 ? [`${before} of them were fetched before, or elsewhere, and not again.`] : []),
    ...pages.filter(({ problem }) => problem).map(({ url, problem }) => `  ${url}: ${problem}`),
  ].join("\n");
}

/** Whether there is nothing to show for a whole crawl: no page could be had. */
export function isEmpty({ pages }: CrawlResult): boolean {
  return pages.every((page) => notToBeHad(page) || isRedirect(page));
}

function notToBeHad({ status = 400, problem }: PageRecord): boolean {
  return status >= 400 || problem !== undefined;
}

function isRedirect({ status = 0 }: PageRecord): boolean {
  return status >= 300 && status < 400;
}

/** One line of JSON per page. */
export function jsonLines(pages: readonly PageRecord[]): string {
  return pages.map((page) => `${JSON.stringify(page)}\n`).join("");
}
