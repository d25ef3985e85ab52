/** What a run crawls. A run is one crawl for ever: what is on record for it holds, also in the next process. */
import { type Resonate, ServerRefusedError } from "@resonate-ts/sdk";
import { z } from "zod";
import type { CrawlRequest } from "./crawl.ts";
import { SAMPLE_URL } from "./sample-site.ts";
import { DEFAULTS, type Settings, SettingsError } from "./settings.ts";

/** The id of the durable promise of a run. */
export function crawlId(run: string): string {
  return `crawl-${run}`;
}

/**
 * The request of this run: as it is on record, else what was asked for, else the defaults.
 *
 * @throws SettingsError when something else was asked for than what is on record.
 */
export async function requestOf(resonate: Resonate, settings: Settings): Promise<CrawlRequest> {
  const { run, url, depth, maxPages, allowPrivate } = settings;
  const asked = given({ run, url, depth, maxPages, allowPrivate });
  const recorded = await recordedRequest(resonate, run);
  if (!recorded) return { url: SAMPLE_URL, ...DEFAULTS, run, ...asked };
  const request = { ...recorded, ...asked };
  if (inWords(request) === inWords(recorded)) return recorded;
  throw new SettingsError(
    `run ${run} is the crawl of ${inWords(recorded)}; for another one choose another --run`,
  );
}

/** The fields that are there. */
function given(fields: Pick<Settings, keyof CrawlRequest & keyof Settings>): Partial<CrawlRequest> {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));
}

function inWords({ url, depth, maxPages, allowPrivate }: CrawlRequest): string {
  const flags = `--depth ${depth} --max-pages ${maxPages}`;
  return `${url} ${flags}${allowPrivate ? " --allow-private" : ", without --allow-private"}`;
}

/** The part of a call on record that says what it was called with. */
const callSchema = z.object({
  args: z.tuple([
    z.object({
      run: z.string(),
      url: z.string(),
      depth: z.number(),
      maxPages: z.number(),
      allowPrivate: z.boolean(),
    }),
  ]),
});

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
