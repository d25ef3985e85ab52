import { piecesOf } from "../model/rich-text.ts";

/** Text as it is; addresses of the web can be followed, with no word of where from. */
export function RichText({ text }: { readonly text: string }) {
  let place = 0;
  return piecesOf(text).map((piece) => {
    const key = place;
    place += piece.text.length;
    if (piece.kind === "text") return piece.text;
    return (
      <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer">
        {piece.text}
      </a>
    );
  });
}
