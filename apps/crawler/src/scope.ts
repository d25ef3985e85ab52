/** Which URLs belong to a crawl. */
import { getDomain } from "tldts";
import type { CrawlRequest } from "./request.ts";

/** Longest URL that is visited. Longer ones are mostly made by traps. */
const URL_LENGTH_MAX = 2_048;

export type OutOfScope = "another site" | "not included" | "excluded" | "URL too long";

export class Scope {
  readonly #site: string;
  readonly #include: readonly RegExp[];
  readonly #exclude: readonly RegExp[];

  constructor({ url, include, exclude }: Pick<CrawlRequest, "url" | "include" | "exclude">) {
    this.#site = siteOf(new URL(url));
    this.#include = include.map(globPattern);
    this.#exclude = exclude.map(globPattern);
  }

  /** Why `url` does not belong to the crawl; `undefined` when it does. */
  problem(href: string): OutOfScope | undefined {
    if (href.length > URL_LENGTH_MAX) return "URL too long";
    const url = new URL(href);
    if (siteOf(url) !== this.#site) return "another site";
    const path = `${url.pathname}${url.search}`;
    if (this.#exclude.some((glob) => glob.test(path))) return "excluded";
    const included = this.#include.length === 0 || this.#include.some((glob) => glob.test(path));
    return included ? undefined : "not included";
  }
}

/** The registrable domain; what has none (an address, `localhost`) is a site of its own, with its port. */
function siteOf(url: URL): string {
  return getDomain(url.hostname, { allowPrivateDomains: true }) ?? url.host;
}

/** A pattern for a path with its query: `*` stands for any text without `/`, `**` for any text. */
function globPattern(glob: string): RegExp {
  const literal = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  const parts = glob.split(/(\*\*+|\*)/).map((part) => {
    if (part === "*") return "[^/]*";
    return part.startsWith("**") ? ".*" : literal(part);
  });
  return new RegExp(`^${parts.join("")}$`);
}
