/** Text from anywhere, cut into what is shown as it is and what may be followed. */

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

const ADDRESS = /https?:\/\/[^\s"'<>\\^`{|}]+/g;
/** Whole text with more of them is shown without links: each is an element of the page. */
const LINKS_MAX = 200;

/** Only http and https addresses become links; everything else stays text. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = match[0].replace(/[.,;:!?)\]]+$/, "");
    const href = safeHref(found);
    if (href === undefined || links++ >= LINKS_MAX) continue;
    pieces.push({ kind: "text", text: text.slice(end, match.index) });
    pieces.push({ kind: "link", text: found, href });
    end = match.index + found.length;
  }
  pieces.push({ kind: "text", text: text.slice(end) });
  return pieces.filter((piece) => piece.text !== "");
}

/** The address, if it is one that a browser may be sent to. */
export function safeHref(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, href } = new URL(text);
  return protocol === "http:" || protocol === "https:" ? href : undefined;
}
