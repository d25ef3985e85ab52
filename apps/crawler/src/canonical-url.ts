/** One spelling per page, so that a page is one page however it is linked. */

/** Parameters that say where a visitor came from, and nothing about the page. */
const TRACKING =
  /^(?:utm_\w+|gclid|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok)$/i;

export interface SpellingOptions {
  /** Sort the parameters of the query by name. Sites may give order a meaning, so it is not done by default. */
  readonly sortQuery?: boolean;
}

/**
 * The canonical spelling of a URL. Scheme, host (IDNA), default port and dot segments are as the URL standard has
 * them. Beyond that: no fragment, no credentials, no tracking parameters, no empty parameters; characters that need
 * no percent-encoding have none, and the others have it in upper case.
 */
export function canonicalUrl(given: URL | string, options: SpellingOptions = {}): string {
  let href = new URL(given).href;
  // What has been decoded may be a dot segment. Each round makes the URL shorter or is the last.
  for (;;) {
    const next = respelled(href, options);
    if (next === href) return href;
    href = next;
  }
}

function respelled(href: string, { sortQuery = false }: SpellingOptions): string {
  const url = new URL(href);
  url.hash = "";
  url.username = "";
  url.password = "";
  url.pathname = recoded(url.pathname);
  const parameters = recoded(url.search.slice(1))
    .split("&")
    .filter((parameter) => parameter !== "" && !TRACKING.test(nameOf(parameter)));
  if (sortQuery) parameters.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : +(nameOf(a) > nameOf(b))));
  url.search = parameters.join("&");
  return url.href;
}

function nameOf(parameter: string): string {
  return parameter.split("=", 1)[0] ?? "";
}

/**
 * RFC 3986, 6.2.2: unreserved characters bare, all else in upper case. What has been decoded may complete another
 * encoding (`%%37E`), so the end of what comes out is looked at again. One pass, however deep that goes: a hostile page
 * may be made of nothing else.
 */
function recoded(text: string): string {
  if (!text.includes("%")) return text;
  const out: string[] = [];
  for (const next of text) {
    out.push(next);
    for (let last = encodedAt(out); last !== undefined; last = encodedAt(out)) {
      out.splice(-3);
      if (!/[\w.~-]/.test(last)) {
        out.push(encoded(last));
        break;
      }
      out.push(last);
    }
  }
  return out.join("");
}

/** The character whose encoding ends the text. */
function encodedAt(characters: readonly string[]): string | undefined {
  const [percent, high = "", low = ""] = characters.slice(-3);
  if (percent !== "%" || !/^[0-9a-f]{2}$/i.test(high + low)) return undefined;
  return String.fromCharCode(Number.parseInt(high + low, 16));
}

function encoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
