import { expect, test } from "vitest";
import { canonicalUrl } from "../src/canonical-url.ts";

test.each([
  ["HTTP://Site.TEST:80/A", "http://site.test/A"],
  ["https://site.test:443", "https://site.test/"],
  ["http://site.test/a/./b/../c", "http://site.test/a/c"],
  ["http://site.test/a/%2E%2e/c", "http://site.test/c"],
  ["http://site.test/%7euser/%41%2f%c3%bc", "http://site.test/~user/A%2F%C3%BC"],
  ["http://site.test/ü", "http://site.test/%C3%BC"],
  ["http://bücher.test/", "http://xn--bcher-kva.test/"],
  ["http://me:secret@site.test/a#part", "http://site.test/a"],
  ["http://site.test/?", "http://site.test/"],
  ["http://site.test/?b=1&&a=2&", "http://site.test/?b=1&a=2"],
  ["http://site.test/?utm_source=x&a=1&fbclid=2&%75tm_medium=y&gclid=3", "http://site.test/?a=1"],
  ["http://2130706433/", "http://127.0.0.1/"],
  // Encodings inside of encodings.
  ["http://site.test/%%37E/%25%37e/%2%66/a%", "http://site.test/~/%257e/%2F/a%"],
  [`http://site.test/${"%3".repeat(500_000)}5`, "http://site.test/5"],
])("%s is spelled %s", (given, canonical) => {
  expect(canonicalUrl(given)).toBe(canonical);
});

test("parameters are sorted by name on request, and those of one name keep their order", () => {
  const url = "http://site.test/?b=2&a=2&b=1&a";
  expect(canonicalUrl(url)).toBe(url);
  expect(canonicalUrl(url, { sortQuery: true })).toBe("http://site.test/?a=2&a&b=2&b=1");
});

test("canonicalising twice changes nothing", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const pick = picker(seed);
  for (let round = 0; round < 20_000; round++) {
    const path = Array.from(
      { length: Math.floor(pick(12)) },
      () => PIECES[Math.floor(pick(PIECES.length))],
    );
    const url = URL.parse(`${ORIGINS[Math.floor(pick(ORIGINS.length))]}/${path.join("")}`);
    if (!url) continue;
    const options = { sortQuery: pick(2) < 1 };
    const once = canonicalUrl(url, options);
    expect(canonicalUrl(once, options), `${url.href} SEED=${seed}`).toBe(once);
  }
});

const ORIGINS = ["http://a.test", "https://B.TEST:443", "http://[::1]:80"];
const PIECES = [
  ...["%", "%%", "%25", "%7E", "7E", "%2e", "%2F", "2", "5", "e", "E", "%zz"],
  ...[".", "..", "/", "//", "\\", "?", "&", "=", "#", ":", "@", " ", "\t"],
  ...["utm_a", "gclid", "ü", "\u{1F600}", "\0", "a", "+", "'", '"'],
];

/** Numbers from 0 up to what is asked for, the same for the same seed (mulberry32). */
function picker(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below;
  };
}
