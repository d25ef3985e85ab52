/** What a person can ask for and set: each setting by a flag or an environment variable; the flag wins. */
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { ConnectTo } from "./addresses.ts";
import { canonicalUrl } from "./canonical-url.ts";

/** The most URLs of one run: whoever coordinates it holds them all in memory. */
const MAX_PAGES_MAX = 10_000;

/** What was asked for cannot be done as it was asked: exit code 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Of the crawl itself, only what was said: a run that is on record knows the rest. */
export interface Settings {
  readonly url?: string;
  readonly depth?: number;
  readonly maxPages?: number;
  readonly maxPerHost?: number;
  readonly maxDurationMs?: number;
  readonly delayMs?: number;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly sortQuery?: boolean;
  readonly sitemaps?: boolean;
  /** Loopback and private addresses may be visited. */
  readonly allowPrivate?: boolean;
  /** Names the crawl; the same name goes on with the same crawl. */
  readonly run: string;
  /** How many hosts this process visits at once. */
  readonly concurrency: number;
  /** Names that are somewhere else than DNS says. */
  readonly connectTo: readonly ConnectTo[];
  /** Where the server is; without one everything is kept in a file. */
  readonly server?: string;
  /** What the server knows us by, where it asks. */
  readonly token?: string;
  /** The folder for that file and for the results. */
  readonly data: string;
  /** Events as lines of JSON. */
  readonly json: boolean;
}

export type Asked =
  | { readonly kind: "run"; readonly settings: Settings }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "wrong"; readonly line: string };

/** Reads the words after the program's name, and the environment. */
export function readSettings(words: readonly string[], env = process.env): Asked {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: FLAGS,
      allowPositionals: true,
    });
    if (values.help) return { kind: "help", text: HELP };
    const [url, more] = positionals;
    if (more !== undefined) throw new SettingsError(`one URL at most; '${more}' is one too many`);
    const settings = schema.parse(
      given({
        url,
        depth: values.depth,
        maxPages: values["max-pages"],
        maxPerHost: values["max-per-host"],
        maxDurationMs: values["max-duration"],
        delayMs: values["delay-ms"],
        include: values.include,
        exclude: values.exclude,
        sortQuery: values["sort-query"],
        sitemaps: values["no-sitemap"] && false,
        allowPrivate: values["allow-private"],
        run: values.run,
        concurrency: values.concurrency ?? env["CRAWLER_CONCURRENCY"],
        connectTo: values["connect-to"],
        server: values.server ?? env["RESONATE_URL"],
        token: env["RESONATE_TOKEN"],
        data: values.data ?? env["CRAWLER_DATA"],
        json: values.json,
      }),
    );
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `crawler: ${problem(error)}. Try --help.` };
  }
}

/** What was said. A variable of the environment that is empty says nothing. */
function given(fields: Readonly<Record<string, unknown>>): object {
  const unset = (name: string, value: unknown) =>
    value === undefined || (value === "" && ["concurrency", "server", "token"].includes(name));
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => !unset(name, value)));
}

const FLAGS = {
  depth: { type: "string" },
  "max-pages": { type: "string" },
  "max-per-host": { type: "string" },
  "max-duration": { type: "string" },
  "delay-ms": { type: "string" },
  include: { type: "string", multiple: true },
  exclude: { type: "string", multiple: true },
  "sort-query": { type: "boolean" },
  "no-sitemap": { type: "boolean" },
  "allow-private": { type: "boolean" },
  run: { type: "string" },
  concurrency: { type: "string" },
  "connect-to": { type: "string", multiple: true },
  server: { type: "string" },
  data: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z
  .object({
    url: z
      .url({
        protocol: /^https?$/,
        error: ({ input }) => `'${input}' is not an http or https URL`,
      })
      .exactOptional(),
    depth: whole("--depth", { min: 0, max: 20 }).exactOptional(),
    maxPages: whole("--max-pages", { min: 1, max: MAX_PAGES_MAX }).exactOptional(),
    maxPerHost: whole("--max-per-host", { min: 1, max: MAX_PAGES_MAX }).exactOptional(),
    maxDurationMs: z
      .string()
      .regex(/^[1-9]\d{0,5}(?:ms|s|m|h)$/, "--max-duration must be a time such as 90s, 10m or 2h")
      .transform(milliseconds)
      .exactOptional(),
    delayMs: whole("--delay-ms", { min: 0, max: 60_000 }).exactOptional(),
    include: globs("--include"),
    exclude: globs("--exclude"),
    sortQuery: z.boolean().exactOptional(),
    sitemaps: z.boolean().exactOptional(),
    allowPrivate: z.boolean().exactOptional(),
    run: z
      .string()
      .regex(/^[\w-]{1,64}$/, "--run must be 1 to 64 letters, digits, '-' or '_'")
      .default(() => randomUUID().slice(0, 8)),
    concurrency: whole("--concurrency (CRAWLER_CONCURRENCY)", { min: 1, max: 100 }).default(8),
    connectTo: z
      .array(
        z
          .string()
          .regex(/^[^=]+=.+:\d{1,5}$/, CONNECT_TO())
          .transform(place)
          .refine(({ address, port }) => isIP(address) !== 0 && port < 65_536, CONNECT_TO()),
      )
      .default([]),
    server: z
      .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
      .exactOptional(),
    token: z.string().exactOptional(),
    data: z
      .string()
      .min(1, "--data (CRAWLER_DATA) must name a folder")
      .default(fileURLToPath(new URL("../.resonate", import.meta.url))),
    json: z.boolean().default(false),
  })
  .transform((settings) => {
    const { url, sortQuery = false } = settings;
    return url === undefined ? settings : { ...settings, url: canonicalUrl(url, { sortQuery }) };
  });

function whole(flag: string, { min, max }: { readonly min: number; readonly max: number }) {
  const error = `${flag} must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

function globs(flag: string) {
  const error = `${flag} must be a pattern that begins with '/' or '*', such as '/docs/**'`;
  return z.array(z.string().regex(/^[/*]/, error)).exactOptional();
}

function milliseconds(time: string): number {
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[time.replace(/^\d+/, "")];
  return Number.parseInt(time, 10) * (unit ?? 1);
}

function CONNECT_TO(): string {
  return "--connect-to must be NAME=ADDRESS:PORT, such as '*.example.com=127.0.0.1:8080'";
}

function place(text: string): ConnectTo {
  const [, name = "", address = "", port] = /^([^=]+)=\[?(.+?)\]?:(\d+)$/.exec(text) ?? [];
  return { name: name.toLowerCase(), address, port: Number(port) };
}

const HELP = `Usage: crawler [URL] [flags]

Visits a page, what it links to on the same site, and what the site's sitemaps name: each page once, as
slowly as the site asks for. Without a URL it visits a small site that it serves itself. Kill it half-way
and start it again with the same --run: it goes on where it was, with what it was begun with.

What to crawl:
  --depth N            how many links away from the first page to go, 0 to 20 (default 3)
  --max-pages N        how many URLs to accept, 1 to ${MAX_PAGES_MAX} (default 100)
  --max-per-host N     how many of them of one host (default 50)
  --max-duration TIME  make no more requests after that long, such as 90s, 10m or 2h (default: any)
  --delay-ms N         pause before each request to a host, 0 to 60000; a site may ask for more (default 1000)
  --include GLOB       only paths that match, such as '/docs/**'; may be given several times
  --exclude GLOB       no paths that match, such as '**.pdf'; may be given several times
  --sort-query         take URLs for one page that differ in the order of their parameters only
  --no-sitemap         do not read sitemaps
  --allow-private      also visit loopback and private addresses
  --run NAME           names the crawl (default: a new name)

How to crawl, and the environment variables that do the same:
  --concurrency N      CRAWLER_CONCURRENCY  how many hosts this process visits at once, 1 to 100 (default 8)
  --connect-to NAME=ADDRESS:PORT            where to connect for a host (or *.host), in place of DNS
  --server URL         RESONATE_URL         a server (default: none, everything is kept in a file)
                       RESONATE_TOKEN       a token for it, where it asks for one
  --data DIR           CRAWLER_DATA         where files are kept (default: .resonate in the app's folder)
  --json               print events as lines of JSON
  -h, --help           print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
