/**
 * How promises are named. A root id is any non-empty text without `:`; its children are `root:0`, `root:1`;
 * theirs are `root:0.0`, `root:0.1`. The part before the first `:` is the origin: the tree a promise belongs to.
 */

/** Longest id that is spelled out; a child below it is named by a hash of its position. */
export const SPELLED_ID_LENGTH_MAX = 256;

/** The root of the tree that `id` belongs to, as its spelling shows it. */
export function originOf(id: string): string {
  const end = id.indexOf(":");
  return end === -1 ? id : id.slice(0, end);
}

/** Joins a parent's id with the place of a child under it. */
export function joinId(parent: string, segment: string | number): string {
  return `${parent}${parent.includes(":") ? "." : ":"}${segment}`;
}

/**
 * The id of the `seq`th (from 0) thing that `parent` starts. Where the spelling would pass 256 characters
 * the child is named by a hash of its full position, directly under the origin.
 */
export function childId(parent: string, seq: number): string {
  const id = joinId(parent, seq);
  return id.length <= SPELLED_ID_LENGTH_MAX ? id : joinId(originOf(parent), `h${hash(id)}`);
}

/** The id of a detached call: a direct child of the origin, named by a hash of where it was started. */
export function detachedId(parent: string, seq: number): string {
  return joinId(originOf(parent), `d${hash(joinId(parent, seq))}`);
}

/**
 * As `childId`, the way older SDKs spell ids: dots all the way. `root` is the root of the tree, which the spelling does
 * not show: it may have dots of its own.
 */
export function dottedChildId(root: string, parent: string, seq: number): string {
  const id = `${parent}.${seq}`;
  return id.length <= SPELLED_ID_LENGTH_MAX ? id : `${root}.h${hash(id)}`;
}

/** As `detachedId`, the way older SDKs spell ids. */
export function dottedDetachedId(root: string, parent: string, seq: number): string {
  return `${root}.d${hash(`${parent}.${seq}`)}`;
}

/** Whether `id` is spelled as that of a detached call. */
export function isDetachedId(id: string): boolean {
  return /[:.]d[0-9a-f]{14}$/.test(id);
}

/** Why `id` cannot name a root, or `undefined` when it can. */
export function rootIdProblem(id: string): string | undefined {
  if (id.length === 0) return "an id must not be empty";
  if (id.includes("\0")) return "an id must not contain a NUL character";
  if (id.includes(":"))
    return `id '${id}' must not contain ':' (it separates a root from its children)`;
  return undefined;
}

/** The id that the template of a schedule gives for an occurrence (ms, or what is to stand for it). */
export function scheduledId(
  template: string,
  { id, occurrence }: { readonly id: string; readonly occurrence: number | string },
): string {
  return template
    .replaceAll("{{.id}}", () => id)
    .replaceAll("{{.timestamp}}", () => String(occurrence));
}

/** 53 bits as 14 hex digits, over the UTF-8 bytes of `text` (the two-lane hash known as cyrb53, seed 0). */
function hash(text: string): string {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (const byte of new TextEncoder().encode(text)) {
    low = Math.imul(low ^ byte, 2654435761);
    high = Math.imul(high ^ byte, 1597334677);
  }
  const mixedLow = mix(low, high);
  const mixedHigh = mix(high, mixedLow);
  return (2 ** 32 * (mixedHigh & 0x1fffff) + mixedLow).toString(16).padStart(14, "0");
}

function mix(lane: number, other: number): number {
  const first = Math.imul(lane ^ (lane >>> 16), 2246822507);
  return (first ^ Math.imul(other ^ (other >>> 13), 3266489909)) >>> 0;
}
