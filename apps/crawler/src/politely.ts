/** One request at a site's own pace, tried again where that may help. */
import { setTimeout } from "node:timers/promises";
import type { Got, Wanted, Web } from "./web.ts";

/** Tries after the first one. */
const RETRIES_MAX = 3;
/** Longest wait that a site may ask for (`Retry-After`), in ms; one that asks for more is not tried again. */
const RETRY_AFTER_MS_MAX = 60_000;
/** Of 4xx these may pass: a timeout, too early, too many. All others never do. */
const PASSING = new Set([408, 425, 429]);

export interface Pace {
  /** Time without any request before each request, in ms. */
  readonly delayMs: number;
}

/**
 * GETs `url` after `delayMs`, and up to three times more when nothing came of it that can stand: no answer, 408, 425,
 * 429 or 5xx. Between tries it waits as long as the site asks for, or else 1 s, 2 s, 4 s less up to half of each.
 *
 * It waits _before_ it makes a request. A process that takes over from one that was killed thus keeps the pace of the
 * site too, without knowing when the last request was made: that one is over, and a whole delay follows.
 *
 * Rejects only when `wanted.signal` has fired.
 */
export async function getPolitely(
  web: Web,
  url: string,
  { delayMs, ...wanted }: Wanted & Pace,
): Promise<Got> {
  let pauseMs = delayMs;
  for (let tried = 0; ; tried++) {
    if (pauseMs > 0) await setTimeout(pauseMs, undefined, { signal: wanted.signal });
    const got = await web.get(url, wanted);
    const again = tried < RETRIES_MAX && mayPass(got) ? backoffMs(web, got, tried) : undefined;
    if (again === undefined) return got;
    pauseMs = Math.max(delayMs, again);
  }
}

function mayPass(got: Got): boolean {
  if (got.kind !== "answer") return got.kind === "failed";
  return got.status >= 500 || PASSING.has(got.status);
}

function backoffMs(web: Web, got: Got, tried: number): number | undefined {
  const asked = got.kind === "answer" ? retryAfterMs(got.headers["retry-after"]) : undefined;
  if (asked !== undefined) return asked <= RETRY_AFTER_MS_MAX ? asked : undefined;
  return web.limits.retryMs * 2 ** tried * (1 - Math.random() / 2);
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterMs(given: unknown): number | undefined {
  if (typeof given !== "string") return undefined;
  const ms = /^\d+$/.test(given.trim()) ? Number(given) * 1_000 : Date.parse(given) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
