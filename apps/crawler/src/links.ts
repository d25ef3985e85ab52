/** What a page says: its title, and where it leads. */
import { Parser } from "htmlparser2";

/** Most links that are taken from one page: they are part of its durable result. */
const LINKS_MAX = 500;
const TITLE_LENGTH_MAX = 200;

export interface PageContent {
  /** Empty when the page has none. */
  readonly title: string;
  /** Canonical, in the order of the page, each once; only http and https, only the page's own host. */
  readonly links: readonly string[];
}

/** Reads a page that was found at `url`. */
export function readPage(html: string, url: string): PageContent {
  const { title, hrefs, base } = scan(html);
  const baseUrl = base === undefined ? url : (resolve(base, url)?.href ?? url);
  const links = new Set<string>();
  for (const href of hrefs) {
    const link = linkTo(href, { from: baseUrl, site: url });
    if (link !== undefined) links.add(link);
    if (links.size === LINKS_MAX) break;
  }
  return { title: title.trim().replace(/\s+/g, " ").slice(0, TITLE_LENGTH_MAX), links: [...links] };
}

/** The canonical URL that `href` means on a page `from`; `undefined` when it leads off the host of `site`. */
export function linkTo(
  href: string,
  { from, site }: { readonly from: string; readonly site: string },
): string | undefined {
  const url = resolve(href, from);
  if (!url || !/^https?:$/.test(url.protocol) || url.host !== new URL(site).host) return undefined;
  return canonical(url);
}

/** One spelling per page: what the URL standard normalises, without fragment and without credentials. */
export function canonical(given: URL): string {
  const url = new URL(given);
  url.hash = "";
  url.username = "";
  url.password = "";
  return url.href;
}

function resolve(href: string, from: string): URL | undefined {
  return URL.parse(href, from) ?? undefined;
}

function scan(html: string): {
  title: string;
  hrefs: readonly string[];
  base?: string | undefined;
} {
  let title: string | undefined;
  let inTitle = false;
  let base: string | undefined;
  const hrefs: string[] = [];
  const parser = new Parser({
    onopentag(name, { href }) {
      if (name === "title" && title === undefined) inTitle = true;
      if (name === "base") base ??= href;
      if (name === "a" && href !== undefined) hrefs.push(href);
    },
    ontext(text) {
      if (inTitle) title = (title ?? "") + text;
    },
    onclosetag(name) {
      if (name === "title") inTitle = false;
    },
  });
  parser.end(html);
  return { title: title ?? "", hrefs, base };
}
