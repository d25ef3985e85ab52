/** What a person can ask for and set: each setting by a flag or an environment variable; the flag wins. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { canonical } from "./links.ts";

/**
 * The most pages of one run: its result lists them all and travels as one value, which may hold 1 MiB.
 */
const MAX_PAGES_MAX = 1_000;

/** Of what neither the command nor the record of the run says. */
export const DEFAULTS = { depth: 2, maxPages: 30, allowPrivate: false };

/** What was asked for cannot be done as it was asked: exit code 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Of the crawl itself, only what was said: a run that is on record knows the rest. */
export interface Settings {
  readonly url?: string | undefined;
  readonly depth?: number | undefined;
  readonly maxPages?: number | undefined;
  /** Names the crawl; the same name goes on with the same crawl. */
  readonly run: string;
  /** Loopback and private addresses may be visited. */
  readonly allowPrivate?: boolean | undefined;
  /** Where the server is; without one everything is kept in a file. */
  readonly server?: string | undefined;
  /** The folder for that file and for the results. */
  readonly data: string;
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
    const settings = schema.parse({
      url,
      depth: values.depth,
      maxPages: values["max-pages"],
      run: values.run,
      allowPrivate: values["allow-private"],
      server: values.server ?? (env["RESONATE_URL"] || undefined),
      data: values.data ?? (env["CRAWLER_DATA"] || undefined),
    });
    return { kind: "run", settings };
  } catch (error) {
    return { kind: "wrong", line: `crawler: ${problem(error)}. Try --help.` };
  }
}

const FLAGS = {
  depth: { type: "string" },
  "max-pages": { type: "string" },
  run: { type: "string" },
  "allow-private": { type: "boolean" },
  server: { type: "string" },
  data: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const schema = z.object({
  url: z
    .url({
      protocol: /^https?$/,
      error: ({ input }) => `'${input}' is not an http or https URL`,
    })
    .transform((url) => canonical(new URL(url)))
    .optional(),
  depth: whole("--depth", { min: 0, max: 20 }).optional(),
  maxPages: whole("--max-pages", { min: 1, max: MAX_PAGES_MAX }).optional(),
  run: z
    .string()
    .regex(/^[\w-]{1,64}$/, "--run must be 1 to 64 letters, digits, '-' or '_'")
    .default(() => randomUUID().slice(0, 8)),
  allowPrivate: z.boolean().optional(),
  server: z
    .url({ protocol: /^https?$/, error: "--server (RESONATE_URL) must be an http or https URL" })
    .optional(),
  data: z
    .string()
    .min(1, "--data (CRAWLER_DATA) must name a folder")
    .default(fileURLToPath(new URL("../.resonate", import.meta.url))),
});

function whole(flag: string, { min, max }: { readonly min: number; readonly max: number }) {
  const error = `${flag} must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

const HELP = `Usage: crawler [URL] [flags]

Visits a page and what it links to on the same host, each page once. Without a URL it visits a small
site that it serves itself. Kill it half-way and start it again with the same --run: it goes on
where it was, with the URL and the limits it was begun with.

Flags, and the environment variables that do the same:
  --depth N                    how many links away from the first page to go, 0 to 20 (default ${DEFAULTS.depth})
  --max-pages N                how many pages to visit, 1 to ${MAX_PAGES_MAX} (default ${DEFAULTS.maxPages})
  --run NAME                   names the crawl (default: a new name)
  --allow-private              also visit loopback and private addresses
  --server URL  RESONATE_URL   a server (default: none, everything is kept in a file)
  --data DIR    CRAWLER_DATA   where files are kept (default: .resonate in the app's folder)
  -h, --help                   print this
`;

function problem(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  if (!(error instanceof Error)) throw error;
  // The first sentence of what Node says about flags: the rest is about words that begin with '-'.
  return error.message.split(/\.\s/)[0] ?? error.message;
}
