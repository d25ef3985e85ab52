/** What a site's robots.txt says to this crawler (RFC 9309). */
import type { Context } from "@resonate-ts/sdk";
import robotsParser from "robots-parser";
import { getPolitely } from "./politely.ts";
import { type Answer, USER_AGENT, type Web } from "./web.ts";

/** How much of the file counts: RFC 9309 wants at least 500 KiB. */
const BYTES_MAX = 512 * 1_024;
const LINE_LENGTH_MAX = 2_048;
/** Most rules with a `*` inside: each is matched in full against every URL. */
const PATTERNS_MAX = 2_000;
const REDIRECTS_MAX = 5;
/** Most time between two requests that a site may ask for by `Crawl-delay`, in ms. */
const CRAWL_DELAY_MS_MAX = 60_000;

/** Its types describe an ES module; what it is, is a CommonJS module that is the function. */
const parseRobots = robotsParser as unknown as (typeof robotsParser)["default"];

export type RobotsFile =
  /** Its lines that mean something. */
  | { readonly kind: "rules"; readonly text: string }
  /** There is none: everything is allowed. */
  | { readonly kind: "none" }
  /** It could not be had, and so nothing may be visited until it can. */
  | ({ readonly kind: "unavailable" } & Disallowed);

/** Why a page must not be visited. */
export interface Disallowed {
  readonly reason: "robots" | "unreachable" | "forbidden address";
  readonly problem: string;
}

/** Reads the robots.txt of an origin; uses the dependency `web`. */
export async function fetchRobots(
  ctx: Context,
  origin: string,
  { delayMs, allowPrivate }: { readonly delayMs: number; readonly allowPrivate: boolean },
): Promise<RobotsFile> {
  const web = ctx.getDependency<Web>("web");
  if (!web) throw new Error("The dependency 'web' is missing.");
  let url = new URL("/robots.txt", origin).href;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const got = await getPolitely(web, url, {
      accept: "text/plain",
      bytesMax: BYTES_MAX,
      cut: true,
      allowPrivate,
      delayMs,
      signal: ctx.signal,
    });
    if (got.kind !== "answer") {
      const reason = got.kind === "forbidden" ? "forbidden address" : "unreachable";
      return { kind: "unavailable", reason, problem: got.problem };
    }
    const next = locationOf(got, url);
    if (next === undefined) return read(got);
    url = next;
  }
  // As many redirects as that count as a file that is not there (RFC 9309, 2.3.1.2).
  return { kind: "none" };
}

function locationOf({ status, headers }: Answer, from: string): string | undefined {
  const { location } = headers;
  if (status < 300 || status >= 400 || typeof location !== "string") return undefined;
  const url = URL.parse(location, from);
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

function read({ status, body, refused }: Answer): RobotsFile {
  const unavailable = (problem: string) =>
    ({ kind: "unavailable", reason: "robots", problem }) as const;
  if (status >= 500 || status === 429) {
    return unavailable(`robots.txt was answered with ${status}`);
  }
  if (status >= 300) return { kind: "none" };
  if (!body) return unavailable(`robots.txt: ${refused ?? "no body"}`);
  const lines = body
    .toString("utf8")
    .split(/\r\n|\r|\n/)
    .map((line) => line.slice(0, LINE_LENGTH_MAX).trim());
  const rules = lines.filter((line) => RULE.test(line));
  const patterns = rules.filter((line) => PATTERN.test(line)).length;
  if (patterns > PATTERNS_MAX) {
    return unavailable(`robots.txt has ${patterns} patterns, at most ${PATTERNS_MAX} are read`);
  }
  return { kind: "rules", text: rules.join("\n") };
}

const PATTERN = /^(?:dis)?allow\s*:.*\*./i;
const RULE = /^\uFEFF?(?:user-agent|allow|disallow|crawl-delay|sitemap)\s*:/i;

/** What the file of one origin means for its pages. */
export interface Robots {
  /** Why a page must not be visited; `undefined` when it may be. */
  problem(url: string): Disallowed | undefined;
  /** Time between two requests that the site asks for, in ms; 0 when it asks for none. */
  readonly crawlDelayMs: number;
  /** As they are written there. */
  readonly sitemaps: readonly string[];
}

const DISALLOWED: Disallowed = { reason: "robots", problem: "disallowed by robots.txt" };

export function robotsOf(origin: string, file: RobotsFile): Robots {
  switch (file.kind) {
    case "none":
      return { problem: () => undefined, crawlDelayMs: 0, sitemaps: [] };
    case "unavailable":
      return { problem: () => file, crawlDelayMs: 0, sitemaps: [] };
    case "rules": {
      const rules = parseRobots(new URL("/robots.txt", origin).href, file.text);
      const seconds = rules.getCrawlDelay(USER_AGENT) ?? 0;
      return {
        problem: (url) => (rules.isAllowed(url, USER_AGENT) === false ? DISALLOWED : undefined),
        crawlDelayMs: Math.min(Math.max(0, seconds * 1_000), CRAWL_DELAY_MS_MAX),
        sitemaps: rules.getSitemaps(),
      };
    }
  }
}
