/** Payloads are base64 of UTF-8. */

/** Pieces, because a function takes only so many arguments. */
const PIECE = 0x8000;

export function toBase64(text: string): string {
  const utf8 = new TextEncoder().encode(text);
  let binary = "";
  for (let at = 0; at < utf8.length; at += PIECE) {
    binary += String.fromCharCode(...utf8.subarray(at, at + PIECE));
  }
  return btoa(binary);
}
