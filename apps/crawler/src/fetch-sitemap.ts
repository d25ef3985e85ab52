/** The side effect: one HTTP request for one sitemap (sitemaps.org), or for an index of them. */
import { gunzipSync } from "node:zlib";
import type { Context } from "@resonate-ts/sdk";
import { Parser } from "htmlparser2";
import { getPolitely } from "./politely.ts";
import { linkTo } from "./read-html.ts";
import type { CrawlRequest } from "./request.ts";
import type { Web } from "./web.ts";

/** Most bytes of a sitemap, decompressed. */
const BYTES_MAX = 10 * 1_024 * 1_024;
/** Most URLs that are taken from one, and most characters of them: they are part of its durable record. */
const URLS_MAX = 2_000;
const URLS_LENGTH_MAX = 131_072;
/** How deep one may be nested; it is read up to there. Three levels are all that it needs, and time grows with them. */
const DEPTH_MAX = 100;

export interface Sitemap {
  /** Canonical, in the order of the file, each once. */
  readonly pages: readonly string[];
  /** Other sitemaps that an index names. */
  readonly sitemaps: readonly string[];
}

const EMPTY: Sitemap = { pages: [], sitemaps: [] };

/** Fetches a sitemap. What is none, or cannot be had, is an empty one. Uses the dependency `web`. */
export async function fetchSitemap(
  ctx: Context,
  url: string,
  { request, delayMs }: { readonly request: CrawlRequest; readonly delayMs: number },
): Promise<Sitemap> {
  const web = ctx.getDependency<Web>("web");
  if (!web) throw new Error("The dependency 'web' is missing.");
  const got = await getPolitely(web, url, {
    accept: "application/xml, text/xml, application/gzip",
    bytesMax: BYTES_MAX,
    allowPrivate: request.allowPrivate,
    delayMs,
    signal: ctx.signal,
    wants: (status) => status === 200,
  });
  if (got.kind !== "answer" || got.status !== 200 || !got.body) return EMPTY;
  return readSitemap(got.body, url, request);
}

/** Reads a sitemap that was found at `url`: XML, or gzipped XML. */
export function readSitemap(
  body: Buffer,
  url: string,
  spelling: Pick<CrawlRequest, "sortQuery">,
): Sitemap {
  const xml = unzipped(body)?.toString("utf8");
  if (xml === undefined) return EMPTY;
  const found = { url: new Set<string>(), sitemap: new Set<string>() };
  let length = 0;
  for (const { entry, text } of locations(xml)) {
    const link = linkTo(text.trim(), url, spelling);
    if (link === undefined) continue;
    length += link.length;
    if (found[entry].size === URLS_MAX || length > URLS_LENGTH_MAX) break;
    found[entry].add(link);
  }
  return { pages: [...found.url], sitemaps: [...found.sitemap] };
}

/** A file may be gzipped in itself, whatever its headers say. */
function unzipped(body: Buffer): Buffer | undefined {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    return gunzipSync(body, { maxOutputLength: BYTES_MAX });
  } catch {
    // Broken, or larger than that.
    return undefined;
  }
}

interface Location {
  readonly entry: "url" | "sitemap";
  readonly text: string;
}

function locations(xml: string): readonly Location[] {
  const all: Location[] = [];
  let entry: Location["entry"] | undefined;
  let text: string | undefined;
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name) {
        if (++depth > DEPTH_MAX) parser.pause();
        if (name === "url" || name === "sitemap") entry = name;
        if (name === "loc" && entry) text = "";
      },
      ontext(piece) {
        if (text !== undefined) text += piece;
      },
      onclosetag(name) {
        depth--;
        if (name === "loc" && entry && text !== undefined) all.push({ entry, text });
        if (name === "loc") text = undefined;
        if (name === "url" || name === "sitemap") entry = undefined;
      },
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return all;
}
