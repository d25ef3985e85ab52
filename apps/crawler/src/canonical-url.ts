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
  // What has been decoded may itself be an encoding (`%%37E`). Each round makes the URL shorter or is the last.
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

/** RFC 3986, 6.2.2: unreserved characters bare, all else in upper case. */
function recoded(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
