/** What a page says: its title, and where it leads. */
import { Parser } from "htmlparser2";
import { canonicalUrl, type SpellingOptions } from "./canonical-url.ts";

/** Most links that are taken from one page, and most characters of them: they are part of its durable record. */
const LINKS_MAX = 1_000;
const LINKS_LENGTH_MAX = 131_072;
const TITLE_LENGTH_MAX = 200;
/** Most links of a page that are looked at, repeated ones included. */
const ANCHORS_MAX = 10_000;
/** How deep a page may be nested; it is read up to there. Browsers give up at 512, and the parser's time grows with it. */
const DEPTH_MAX = 1_000;

export interface PageContent {
  /** Empty when the page has none. */
  readonly title: string;
  /** Canonical http and https URLs, of any site, in the order of the page, each once. */
  readonly links: readonly string[];
  /** Those that the page asks not to follow, and does not link to otherwise. */
  readonly nofollow: readonly string[];
}

/** Reads a page that was found at `url`. `nofollow`: the headers of the page ask not to follow any link. */
export function readHtml(
  html: string,
  url: string,
  { nofollow = false, ...spelling }: SpellingOptions & { readonly nofollow?: boolean } = {},
): PageContent {
  const { title, anchors, base, robots } = scan(html);
  const none = nofollow || saysNofollow(robots);
  const from = (base !== undefined && URL.parse(base, url)?.href) || url;
  const followed = new Map<string, boolean>();
  let length = 0;
  for (const { href, rel } of anchors) {
    const link = linkTo(href, from, spelling);
    if (link === undefined) continue;
    if (!followed.has(link)) length += link.length;
    if (followed.size === LINKS_MAX || length > LINKS_LENGTH_MAX) break;
    const follow = !none && !/(?:^|\s)nofollow(?:\s|$)/i.test(rel);
    followed.set(link, follow || followed.get(link) === true);
  }
  const links = [...followed];
  return {
    // One line, and nothing that a terminal would obey.
    title: title
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim()
      .slice(0, TITLE_LENGTH_MAX),
    links: links.filter(([, follow]) => follow).map(([link]) => link),
    nofollow: links.filter(([, follow]) => !follow).map(([link]) => link),
  };
}

/** The canonical URL that `href` means on a page `from`; `undefined` when it is not one of http or https. */
export function linkTo(
  href: string,
  from: string,
  spelling: SpellingOptions = {},
): string | undefined {
  const url = URL.parse(href, from);
  return url && /^https?:$/.test(url.protocol) ? canonicalUrl(url, spelling) : undefined;
}

/** Whether robots directives, of a page or of its headers, ask not to follow its links. */
export function saysNofollow(directives: string): boolean {
  return /(?:^|[\s,:])(?:nofollow|none)(?:[\s,]|$)/i.test(directives);
}

interface Scanned {
  readonly title: string;
  readonly anchors: readonly { readonly href: string; readonly rel: string }[];
  readonly base?: string | undefined;
  /** What `<meta name="robots">` says. */
  readonly robots: string;
}

function scan(html: string): Scanned {
  let title: string | undefined;
  let inTitle = false;
  let base: string | undefined;
  let robots = "";
  const anchors: { href: string; rel: string }[] = [];
  let depth = 0;
  const parser = new Parser({
    onopentag(name, { href, rel = "", name: meta = "", content = "" }) {
      if (name === "title" && title === undefined) inTitle = true;
      if (name === "base") base ??= href;
      if (name === "meta" && meta.toLowerCase() === "robots") robots += `,${content}`;
      if ((name === "a" || name === "area") && href !== undefined) anchors.push({ href, rel });
      if (++depth > DEPTH_MAX || anchors.length === ANCHORS_MAX) parser.pause();
    },
    ontext(text) {
      if (inTitle) title = (title ?? "") + text;
    },
    onclosetag(name) {
      depth--;
      if (name === "title") inTitle = false;
    },
  });
  parser.end(html);
  return { title: title ?? "", anchors, base, robots };
}
