/** Whether what was sent is HTML: by what its header says, and by what it begins with. */

/** How much of a body is looked at. */
const BYTES_LOOKED_AT = 1_024;

/** What a header says: that it is HTML, that it is something else, or nothing worth believing. */
export function claimed(contentType: unknown): "html" | "other" | "unclear" {
  if (typeof contentType !== "string" || contentType.trim() === "") return "unclear";
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  return UNCLEAR.has(type) ? "unclear" : "other";
}

/** What servers say of files that they know nothing about. */
const UNCLEAR = new Set(["application/octet-stream", "text/plain", "unknown/unknown", "*/*"]);

/** Whether a body is HTML, given what its header claims. */
export function isHtml(body: Buffer, claim: "html" | "unclear"): boolean {
  const start = body.subarray(0, BYTES_LOOKED_AT);
  if (claim === "html") return !isBinary(start);
  return HTML.test(start.toString("latin1"));
}

const HTML =
  /^(?:\xEF\xBB\xBF)?\s*(?:<!--[\s\S]{0,500}?-->\s*)?(?:<!doctype html|<(?:html|head|title|body|h1|script|style|div|table|a|p|br)[\s>])/i;

/** Pictures, archives, documents: they begin with marks of their own, or hold bytes that no text has. */
function isBinary(start: Buffer): boolean {
  if (UTF_16_OR_32.some((mark) => begins(start, mark))) return false;
  return start.includes(0) || BINARY.some((mark) => begins(start, mark));
}

function begins(start: Buffer, mark: readonly number[]): boolean {
  return mark.every((byte, index) => start[index] === byte);
}

/** Such text has zeros, and begins with a byte order mark, or with `<` and a zero. */
const UTF_16_OR_32 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
  [0, 0, 0xfe, 0xff],
  [0x3c, 0],
  [0, 0x3c],
];

/** PDF, ZIP, PNG, JPEG, GIF, gzip. */
const BINARY = [
  [0x25, 0x50, 0x44, 0x46, 0x2d],
  [0x50, 0x4b, 0x03, 0x04],
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
  [0x1f, 0x8b],
];
