/**
 * What the server can be told, under one name for each setting: `server.port` is the environment variable
 * `RESONATE_SERVER__PORT` and the flag `--server-port`. Defaults give way to the environment, and that to flags.
 */
import { isIP, isIPv4 } from "node:net";
import { z } from "zod";
import { LOG_LEVELS } from "./logger.ts";

const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((number) => number <= max);
const oneOf = <const V extends readonly [string, ...string[]]>(values: V) => ({
  schema: z.enum(values),
  allowed: values.join(", "),
  choices: values,
});
/** Longest time that a timer of Node can wait, in ms. */
const DURATION_MS_MAX = 2 ** 31 - 1;
const milliseconds = {
  schema: wholeNumber(DURATION_MS_MAX),
  allowed: "a whole number of milliseconds",
};
const httpUrl = {
  schema: z.url({ protocol: /^https?$/ }),
  allowed: "a URL that starts with http:// or https://",
};

const definitions = {
  level: {
    ...oneOf(LOG_LEVELS),
    initial: "info",
    help: "least severe log lines that are written",
  },
  "server.host": {
    schema: z.string().regex(/^[\w.-]+$|^\[[\da-f:]+\]$/i),
    allowed: "a host name or an address",
    initial: "localhost",
    help: "name under which clients on this machine reach the server",
  },
  "server.port": {
    schema: wholeNumber(65_535),
    allowed: "a port from 0 to 65535 (0: any free one)",
    initial: 8001,
    help: "port to listen on; 0 takes any free one",
  },
  "server.bind": {
    schema: z.string().refine((text) => text === "localhost" || isIP(text) !== 0),
    allowed: "an IP address of this machine",
    initial: "127.0.0.1",
    help: "address to listen on",
  },
  "server.shutdown_timeout": {
    ...milliseconds,
    initial: 10_000,
    help: "longest time that stopping may take, in ms",
  },
  "server.url": {
    ...httpUrl,
    schema: httpUrl.schema.optional(),
    initial: undefined,
    help: "URL under which workers elsewhere reach the server (default: http://HOST:PORT)",
  },
  "server.cors.allow_origins": {
    schema: z
      .string()
      .transform((text) => text.split(",").map((origin) => origin.trim()))
      .pipe(z.array(z.union([z.literal("*"), z.string().refine(isOrigin)]))),
    allowed: "origins such as https://example.com, separated by commas, or *",
    initial: [],
    help: "web origins whose pages may use the server; * lets all",
    flag: "--server-cors-allow-origin",
  },
  "storage.type": {
    ...oneOf(["sqlite", "memory"]),
    initial: "sqlite",
    help: "where records are kept; memory forgets them at the end",
  },
  "storage.sqlite.path": {
    schema: z.string().refine(namesFile),
    allowed: "the path of a file",
    initial: "resonate.db",
    help: "file of the database, created when absent",
  },
  "storage.sqlite.synchronous": {
    ...oneOf(["full", "normal"]),
    initial: "full",
    help: "full: an answered write survives power loss; normal: a crash of the process",
  },
  "tasks.retry_timeout": {
    schema: wholeNumber(DURATION_MS_MAX).refine((number) => number > 0),
    allowed: "a whole number of milliseconds above 0",
    initial: 30_000,
    help: "how long an offered task may stay unclaimed before it is offered again, in ms",
  },
  "retention.age": {
    schema: wholeNumber(Number.MAX_SAFE_INTEGER)
      .refine((number) => number > 0)
      .optional(),
    allowed: "a whole number of milliseconds above 0",
    initial: undefined,
    help: "how long ago a run must have ended to be forgotten, in ms (default: nothing is forgotten)",
  },
  insecure: {
    schema: z.enum(["true", "false"]).transform((text) => text === "true"),
    allowed: "true, false",
    initial: false,
    help: "let the server listen beyond this machine without authentication",
  },
} satisfies Readonly<Record<string, Definition>>;

interface Definition {
  /** Reads the text of an environment variable or a flag. */
  readonly schema: z.ZodType;
  /** What may be given, to follow "must be". */
  readonly allowed: string;
  /** All that may be given, where that is a few words. */
  readonly choices?: readonly string[];
  readonly initial: unknown;
  readonly help: string;
  /** Where it is not the key's own spelling. */
  readonly flag?: string;
}

export type SettingKey = keyof typeof definitions;

/** The server's settings by their documented names. Durations are in ms. */
export type Settings = {
  readonly [K in SettingKey]: z.output<(typeof definitions)[K]["schema"]>;
};

/** How one setting is given. */
export interface SettingInfo {
  readonly key: SettingKey;
  readonly env: string;
  readonly flag: string;
  readonly help: string;
  readonly initial: Settings[SettingKey];
  /** All texts that may be given, where these are a few. */
  readonly choices?: readonly string[];
}

/** All settings, in the order in which to show them. */
export const SETTINGS: readonly SettingInfo[] = Object.entries(definitions).map(
  ([name, definition]) => {
    const key = name as SettingKey; // `Object.entries` widens the keys it was given.
    const flag = "flag" in definition ? definition.flag : `--${key.replaceAll(/[._]/g, "-")}`;
    const { help, initial } = definition;
    const choices = "choices" in definition ? { choices: definition.choices } : {};
    return { key, env: envName(key), flag, help, initial, ...choices };
  },
);

/** A setting that cannot be used. The message names it and what may be given. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export interface SettingsInput {
  /** The environment; an empty value counts as absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags that were given, by key. */
  readonly flags?: { readonly [K in SettingKey]?: string | undefined };
  /** What to use in place of the defaults listed in `SETTINGS`. */
  readonly defaults?: Partial<Settings>;
}

/**
 * Reads the settings.
 *
 * @throws SettingsError for a value that is not allowed, for authentication (which this version does not
 *   have, so that nobody believes it is on), and for an address beyond this machine without `insecure`.
 */
export function readSettings({
  env = {},
  flags = {},
  defaults = {},
}: SettingsInput = {}): Settings {
  const auth = Object.keys(env).find((name) => name.startsWith("RESONATE_AUTH__") && env[name]);
  if (auth) throw new SettingsError(`${auth} is set, but this version has no authentication yet`);
  const entries = SETTINGS.map(({ key, flag, initial }) => {
    const given = flags[key];
    if (given !== undefined) return [key, readOne(key, given, flag)];
    const inherited = env[envName(key)];
    if (inherited) return [key, readOne(key, inherited, envName(key))];
    return [key, key in defaults ? defaults[key] : initial];
  });
  // Each value was read by the schema of its key, or is that key's default.
  const settings = Object.fromEntries(entries) as Settings;
  refuseOpenDoor(settings);
  return settings;
}

/** Names of variables that look like settings of the server and are none: misspelled, or not known to this version. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(SETTINGS.map(({ env: name }) => name));
  return Object.keys(env).filter((name) => /^RESONATE_\w+__/.test(name) && !known.has(name));
}

/** Whether only programs on this machine can reach an address. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith("127.");
  return address === "localhost" || address === "::1";
}

function readOne(key: SettingKey, text: string, source: string): unknown {
  const { schema, allowed } = definitions[key];
  const read = schema.safeParse(text);
  if (read.success) return read.data;
  throw new SettingsError(`${key} (${source}) must be ${allowed}; got '${text}'`);
}

function refuseOpenDoor(settings: Settings): void {
  const bind = settings["server.bind"];
  if (isLoopback(bind) || settings.insecure) return;
  throw new SettingsError(
    `server.bind ${bind} would let everyone who reaches this machine run and read everything, because there is ` +
      "no authentication; use 127.0.0.1, or add --insecure when something else keeps strangers out",
  );
}

function envName(key: string): string {
  return `RESONATE_${key.replaceAll(".", "__").toUpperCase()}`;
}

/** SQLite takes no path, and `:memory:`, for a database that it forgets; a folder is none. */
function namesFile(path: string): boolean {
  return path !== ":memory:" && !/(?:^|[/\\])\.{0,2}$/.test(path);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
