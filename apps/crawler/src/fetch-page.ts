/** The side effect: one HTTP request for one page, at the pace of its site. */
import type { Context } from "@resonate-ts/sdk";
import { decodeBuffer } from "encoding-sniffer";
import { getPolitely } from "./politely.ts";
import { linkTo, readHtml, saysNofollow } from "./read-html.ts";
import type { CrawlRequest } from "./request.ts";
import type { Disallowed } from "./robots.ts";
import { claimed, isHtml } from "./sniff.ts";
import type { Answer, Headers, Web } from "./web.ts";

/** Most bytes of a body that are read, decompressed: 2 MiB. */
const BYTES_MAX = 2 * 1_024 * 1_024;

/** Why a page that was accepted has nothing to show. */
export type NotRead =
  | "robots"
  | "max-duration"
  | "forbidden address"
  | "unreachable"
  | "not HTML"
  | "too large"
  | "unknown encoding";

/** What is on record of a page. */
export interface FetchedPage {
  readonly url: string;
  /** Absent when there was no request, or no answer. */
  readonly status?: number;
  readonly title?: string;
  /** Canonical URLs of any site. */
  readonly links: readonly string[];
  /** Links that the page asks not to follow. */
  readonly nofollow: readonly string[];
  /** Where a redirect leads. It is a page of its own. */
  readonly redirect?: string;
  /** Size of the body, decompressed; 0 when it was not read. */
  readonly bytes: number;
  /** From the start of its turn to its end, in ms: the site's own pace and further tries included. */
  readonly ms: number;
  readonly skippedReason?: NotRead;
  /** More about `skippedReason`. */
  readonly problem?: string;
}

/** What is known of a page's turn. It is not recorded: the caller's replay works it out again. */
export interface Turn {
  readonly request: CrawlRequest;
  /** Time without any request before this one, in ms. */
  readonly delayMs: number;
  /** What the site's robots.txt has against it. */
  readonly disallowed: Disallowed | undefined;
  /** When the run must end, in ms since the epoch. */
  readonly until: number | undefined;
}

/** Told of every page that this process fetched or skipped; the dependency `fetched`. */
export type Fetched = (page: FetchedPage, request: CrawlRequest) => void;

/**
 * Fetches one page and reads its links. A redirect is not followed: it leads to another page, which has a promise of
 * its own. Whatever comes of it is a value; it throws only when this process stops working on it. Uses the
 * dependencies `web` and `fetched`.
 */
export async function fetchPage(ctx: Context, url: string, turn: Turn): Promise<FetchedPage> {
  const since = performance.now();
  const page = {
    url,
    ...(await contentOf(ctx, url, turn)),
    ms: Math.round(performance.now() - since),
  };
  ctx.getDependency<Fetched>("fetched")?.(page, turn.request);
  return page;
}

type Content = Omit<FetchedPage, "url" | "ms">;

const NOTHING = { links: [], nofollow: [], bytes: 0 };

async function contentOf(ctx: Context, url: string, turn: Turn): Promise<Content> {
  const { request, delayMs, disallowed, until } = turn;
  const skip = (skippedReason: NotRead, problem?: string): Content => {
    return { ...NOTHING, skippedReason, ...(problem !== undefined && { problem }) };
  };
  if (until !== undefined && Date.now() >= until) return skip("max-duration");
  if (disallowed) return skip(disallowed.reason, disallowed.problem);

  const web = ctx.getDependency<Web>("web");
  if (!web) throw new Error("The dependency 'web' is missing.");
  const got = await getPolitely(web, url, {
    accept: "text/html, application/xhtml+xml;q=0.9",
    bytesMax: BYTES_MAX,
    allowPrivate: request.allowPrivate,
    delayMs,
    signal: ctx.signal,
    wants: (status, headers) =>
      !isRedirect(status, headers) && claimed(headers["content-type"]) !== "other",
  });
  switch (got.kind) {
    case "forbidden":
      return skip("forbidden address", got.problem);
    case "failed":
      return skip("unreachable", got.problem);
    case "answer":
      return read(got, url, request);
  }
}

function isRedirect(status: number, { location }: Headers): boolean {
  return status >= 300 && status < 400 && typeof location === "string";
}

function read(
  { status, headers, body, refused }: Answer,
  url: string,
  request: CrawlRequest,
): Content {
  const nothing = { ...NOTHING, status };
  if (isRedirect(status, headers)) {
    const redirect = linkTo(String(headers["location"]), url, request);
    return redirect === undefined
      ? { ...nothing, skippedReason: "unreachable", problem: "redirects to no http URL" }
      : { ...nothing, redirect };
  }
  if (refused) return { ...nothing, skippedReason: refused };
  const claim = claimed(headers["content-type"]);
  if (!body || claim === "other" || !isHtml(body, claim)) {
    return { ...nothing, skippedReason: "not HTML" };
  }
  const content = readHtml(textOf(body, headers), url, {
    sortQuery: request.sortQuery,
    nofollow: saysNofollow(String(headers["x-robots-tag"] ?? "")),
  });
  // An error page is not part of the site.
  return {
    status,
    bytes: body.length,
    ...content,
    ...(status >= 400 && { links: [], nofollow: [] }),
  };
}

function textOf(body: Buffer, headers: Headers): string {
  const label = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(String(headers["content-type"] ?? ""))?.[1];
  return decodeBuffer(body, label === undefined ? {} : { transportLayerEncodingLabel: label });
}
