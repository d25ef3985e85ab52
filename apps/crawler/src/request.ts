/** What a run crawls. A run is one crawl for ever: what is on record for it holds, also in the next process. */
import { type Resonate, ServerRefusedError } from "@resonate-ts/sdk";
import { z } from "zod";
import { crawlId } from "./page-id.ts";
import { SAMPLE_DELAY_MS, SAMPLE_URL } from "./sample-site.ts";
import { type Settings, SettingsError } from "./settings.ts";

export interface CrawlRequest {
  /** Names this crawl: a page is fetched once per run. */
  readonly run: string;
  /** Where to begin; canonical. */
  readonly url: string;
  /** How many links away from there to go. 0: that page only. */
  readonly depth: number;
  /** How many URLs are accepted at most, those that cannot be had included. */
  readonly maxPages: number;
  /** How many of them may be of one host. */
  readonly maxPerHost: number;
  /** Time from its start after which no more requests are made, in ms; absent: any. */
  readonly maxDurationMs?: number;
  /** Time without a request before each request to a host, in ms. A site may ask for more, not for less. */
  readonly delayMs: number;
  /** Globs; a path must match one of them, when there are any, and none of the others. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** URLs that differ in the order of their parameters only are one page. */
  readonly sortQuery: boolean;
  /** Pages that the sitemaps of the site name count as linked from its first page. */
  readonly sitemaps: boolean;
  /** Loopback and private addresses may be visited, whichever process does it. */
  readonly allowPrivate: boolean;
}

/** Of what neither the command nor the record of the run says. */
export const DEFAULTS = {
  depth: 3,
  maxPages: 100,
  maxPerHost: 50,
  delayMs: 1_000,
  include: [],
  exclude: [],
  sortQuery: false,
  sitemaps: true,
  allowPrivate: false,
} as const satisfies Omit<CrawlRequest, "run" | "url">;

/** The sample site is this process's own: there is nobody to be polite to. */
const SAMPLE = { ...DEFAULTS, url: SAMPLE_URL, delayMs: SAMPLE_DELAY_MS };

/**
 * The request of this run: as it is on record, else what was asked for, else the defaults.
 *
 * @throws SettingsError when something else was asked for than what is on record.
 */
export async function requestOf(resonate: Resonate, settings: Settings): Promise<CrawlRequest> {
  // What is left is about the crawl itself.
  const { run, concurrency, connectTo, server, token, data, json, ...asked } = settings;
  const recorded = await recordedRequest(resonate, run);
  if (!recorded) return { ...SAMPLE, ...(asked.url !== undefined && DEFAULTS), ...asked, run };
  const other = Object.entries(asked).find(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(Object(recorded)[name]),
  );
  if (!other) return recorded;
  const [name] = other;
  throw new SettingsError(
    `run ${run} is the crawl of ${recorded.url} with ${name} ${shown(Object(recorded)[name])}; for another one choose another --run`,
  );
}

function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

const requestSchema = z.object({
  run: z.string(),
  url: z.string(),
  depth: z.number(),
  maxPages: z.number(),
  maxPerHost: z.number(),
  maxDurationMs: z.number().exactOptional(),
  delayMs: z.number(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
  sortQuery: z.boolean(),
  sitemaps: z.boolean(),
  allowPrivate: z.boolean(),
});

/** The part of a call on record that says what it was called with. */
const callSchema = z.object({ args: z.tuple([requestSchema]) });

async function recordedRequest(resonate: Resonate, run: string): Promise<CrawlRequest | undefined> {
  try {
    const { param } = await resonate.promises.getValue(crawlId(run));
    const call = callSchema.safeParse(param);
    if (call.success) return call.data.args[0];
  } catch (error) {
    if (error instanceof ServerRefusedError && error.status === 404) return undefined;
    throw error;
  }
  throw new SettingsError(`run ${run} is on record as something else; choose another --run`);
}
