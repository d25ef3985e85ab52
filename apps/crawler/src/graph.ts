/** The link graph: as a picture in a page of its own, and for Graphviz. */
import type { Crawled, PageRecord } from "./records.ts";
import { type Fate, fateOf } from "./report.ts";

/** Most pages and links that are drawn: a browser has to keep up. The DOT file has them all. */
const NODES_MAX = 1_000;
const EDGES_MAX = 5_000;

const COLUMN_WIDTH = 260;
const ROW_HEIGHT = 22;
const MARGIN = 24;
const LABEL_LENGTH_MAX = 32;

const COLORS: Readonly<Record<Fate, string>> = {
  page: "#2a9d5c",
  redirect: "#c9971c",
  failed: "#c8443a",
  skipped: "#8a8f98",
};

/** For `dot -Tsvg`. */
export function dot({ pages, edges }: Crawled): string {
  const nodes = pages.map(
    ({ url, title = "" }) => `  ${quoted(url)} [tooltip=${quoted(title)}];\n`,
  );
  const arrows = edges.map(([from, to]) => `  ${quoted(from)} -> ${quoted(to)};\n`);
  return `digraph crawl {\n  rankdir=LR;\n${nodes.join("")}${arrows.join("")}}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&").replace(/[\r\n]+/g, " ")}"`;
}

/** One page with the graph as SVG: a column per depth, a dot per URL, a line per link. It loads nothing and runs nothing. */
export function graphPage(crawled: Crawled, url: string): string {
  const pages = crawled.pages.slice(0, NODES_MAX);
  const places = placesOf(pages);
  const edges = crawled.edges
    .filter(([from, to]) => places.has(from) && places.has(to))
    .slice(0, EDGES_MAX);
  const left =
    pages.length < crawled.pages.length || edges.length === EDGES_MAX
      ? `<p>Drawn: the first ${pages.length} URLs and ${edges.length} links.</p>`
      : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(url)}</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 16px; }
text { font: 11px system-ui, sans-serif; }
path { fill: none; stroke: #5b6b8c; stroke-opacity: 0.25; }
circle:hover + text, text:hover { font-weight: bold; }
</style>
</head>
<body>
<h1>${escaped(url)}</h1>
<p>${crawled.pages.length} URLs, ${crawled.edges.length} links. ${legend()}</p>
${left}${svg(pages, edges, places)}
</body>
</html>
`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** By URL. */
function placesOf(pages: readonly PageRecord[]): ReadonlyMap<string, Place> {
  const rows = new Map<number, number>();
  return new Map(
    pages.map(({ url, depth }) => {
      const row = rows.get(depth) ?? 0;
      rows.set(depth, row + 1);
      return [url, { x: MARGIN + depth * COLUMN_WIDTH, y: MARGIN + row * ROW_HEIGHT }];
    }),
  );
}

function svg(
  pages: readonly PageRecord[],
  edges: Crawled["edges"],
  places: ReadonlyMap<string, Place>,
): string {
  const all = [...places.values()];
  const width = Math.max(...all.map(({ x }) => x)) + COLUMN_WIDTH;
  const height = Math.max(...all.map(({ y }) => y)) + MARGIN;
  const lines = edges.map(([from, to]) => line(places.get(from), places.get(to)));
  const dots = pages.map((page) => node(page, places.get(page.url)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img" aria-label="link graph">
${lines.join("")}${dots.join("")}</svg>`;
}

function line(from: Place = ORIGIN, to: Place = ORIGIN): string {
  const bend = from.x === to.x ? COLUMN_WIDTH / 3 : (to.x - from.x) / 2;
  return `<path d="M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - (from.x === to.x ? -bend : bend)} ${to.y} ${to.x} ${to.y}"/>\n`;
}

const ORIGIN: Place = { x: 0, y: 0 };

function node(page: PageRecord, { x, y }: Place = ORIGIN): string {
  const { url, title, status, skippedReason } = page;
  const about = [url, title, status, skippedReason].filter((part) => part !== undefined);
  const { pathname, search } = new URL(url);
  const label = `${pathname}${search}`.slice(0, LABEL_LENGTH_MAX);
  return `<g><title>${escaped(about.join(" · "))}</title><circle cx="${x}" cy="${y}" r="5" fill="${COLORS[fateOf(page)]}"/><text x="${x + 9}" y="${y + 4}">${escaped(label)}</text></g>\n`;
}

function legend(): string {
  const entries = Object.entries(COLORS);
  return entries.map(([fate, color]) => `<span style="color:${color}">● ${fate}</span>`).join(" ");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
