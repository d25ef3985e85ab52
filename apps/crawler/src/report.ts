/** What a person reads, and what a program reads. */
import { styleText } from "node:util";
import type { FetchedPage } from "./fetch-page.ts";
import type { Crawled, PageRecord } from "./records.ts";

/** One line about a page that was just fetched, or skipped. */
export function pageLine({ url, status, ms, ...page }: FetchedPage): string {
  const shownStatus = styleText(colorOf(status), String(status ?? "---"));
  return `  ${shownStatus}  ${`${ms} ms`.padStart(7)}  ${url}  ${whatCame(page)}`.trimEnd();
}

function whatCame({ title = "", redirect, skippedReason, problem }: Partial<FetchedPage>): string {
  if (redirect !== undefined) return `to ${redirect}`;
  if (skippedReason === undefined) return title;
  // Errors may quote what a stranger sent.
  const why = problem?.replace(/\p{Cc}+/gu, " ");
  return `${skippedReason}${why === undefined ? "" : `: ${why}`}`;
}

function colorOf(status = 400): "green" | "yellow" | "red" {
  if (status < 300) return "green";
  return status < 400 ? "yellow" : "red";
}

/** Each accepted URL is one of these. */
export type Fate = "page" | "redirect" | "failed" | "skipped";

export function fateOf({
  status,
  skippedReason,
}: Pick<PageRecord, "status"> & { readonly skippedReason?: string }): Fate {
  if (skippedReason === "unreachable" || (status ?? 0) >= 400) return "failed";
  if (skippedReason !== undefined) return "skipped";
  return (status ?? 0) >= 300 ? "redirect" : "page";
}

/** How many accepted URLs had each fate. */
export function fates(pages: readonly PageRecord[]): Readonly<Record<Fate, number>> {
  const counts = { page: 0, redirect: 0, failed: 0, skipped: 0 };
  for (const page of pages) counts[fateOf(page)]++;
  return counts;
}

/** How many URLs there are with each reason, the most frequent first. */
export function reasons({ pages, refused }: Crawled): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { skippedReason } of [...pages, ...refused]) {
    if (skippedReason) counts.set(skippedReason, (counts.get(skippedReason) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

/** What came of it all. `here`: how many answers this process itself got. */
export function summary(crawled: Crawled, here: number): string {
  const { pages, uncounted } = crawled;
  const { page, redirect, failed, skipped } = fates(pages);
  const depth = Math.max(0, ...pages.map((one) => one.depth));
  const before = pages.filter(({ status }) => status !== undefined).length - here;
  const why = [...reasons(crawled)].map(([reason, count]) => `${reason} ${count}`).join(", ");
  return [
    `${pages.length} ${pages.length === 1 ? "URL" : "URLs"} down to depth ${depth}. Pages: ${page}, redirects: ${redirect}, not to be had: ${failed}.`,
    ...(why === "" ? [] : [`Skipped: ${skipped + crawled.refused.length}. Reasons: ${why}.`]),
    ...(uncounted > 0 ? [`${uncounted} more links were not followed and are not listed.`] : []),
    ...(before > 0 ? [`${before} of them were fetched before, or elsewhere, and not again.`] : []),
  ].join("\n");
}

/** Whether there is nothing to show for a whole crawl: no page could be had. */
export function isEmpty({ pages }: Crawled): boolean {
  return fates(pages).page === 0;
}

/** One line of JSON per URL. */
export function jsonLines({ pages, refused }: Crawled): string {
  return [...pages, ...refused].map((record) => `${JSON.stringify(record)}\n`).join("");
}

const COLUMNS = [
  "url",
  "finalUrl",
  "status",
  "title",
  "depth",
  "parent",
  "bytes",
  "ms",
  "skippedReason",
] as const satisfies readonly (keyof PageRecord)[];

/** One line per URL, below a line of names (RFC 4180). */
export function csv({ pages, refused }: Crawled): string {
  const rows = [...pages, ...refused].map((record) =>
    COLUMNS.map((column) => record[column] ?? ""),
  );
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number): string {
  // Spreadsheets take text that begins so for a formula, and titles are written by strangers.
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
