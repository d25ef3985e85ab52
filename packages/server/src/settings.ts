/**
 * What the server can be told, under one name for each setting: `server.port` is `port` of the table `server` in
 * `resonate.toml`, the environment variable `RESONATE_SERVER__PORT` and the flag `--server-port`. Defaults give way
 * to the file, that to the environment, and that to flags.
 */
import { isIPv4 } from "node:net";
import type { z } from "zod";
import { type Definition, definitions } from "./setting-definitions.ts";
import { SettingsError } from "./settings-error.ts";
import { type SettingsFile, textsOf } from "./settings-file.ts";

export { SettingsError } from "./settings-error.ts";
export { findSettingsFile, type SettingsFile } from "./settings-file.ts";

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
  /** What holds when there is no `initial`, in words. */
  readonly otherwise?: string;
  /** All texts that may be given, where these are a few. */
  readonly choices?: readonly string[];
  /** Several may be given. */
  readonly list?: boolean;
  /** Official servers have it, and here it has no effect. */
  readonly unused?: boolean;
}

/** All settings, in the order in which to show them. */
export const SETTINGS: readonly SettingInfo[] = Object.entries(definitions).map(
  ([name, definition]) => {
    const key = name as SettingKey; // `Object.entries` widens the keys it was given.
    const {
      help,
      initial,
      otherwise,
      choices,
      list,
      unused,
      flag = flagName(key),
    }: Definition = definition;
    return {
      key,
      env: envName(key),
      flag,
      help,
      initial: initial as Settings[SettingKey], // What the schema of its key would give.
      ...(otherwise && { otherwise }),
      ...(choices && { choices }),
      ...(list && { list }),
      ...(unused && { unused: true }),
    };
  },
);

export interface SettingsInput {
  /** The environment; an empty value counts as absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly file?: SettingsFile | undefined;
  /** Flags that were given, by key. */
  readonly flags?: { readonly [K in SettingKey]?: string | undefined };
  /** What to use in place of the defaults listed in `SETTINGS`. */
  readonly defaults?: Partial<Settings>;
}

/**
 * Reads the settings.
 *
 * @throws SettingsError for a value that is not allowed, for a key in the file that is no setting, for what is said of
 *   authentication without a key (so that nobody believes it is on), for a token of pushes that is not there or would
 *   be sent to nobody, for an address beyond this machine without authentication or `insecure`, and for PostgreSQL
 *   without the URL of a database.
 */
export function readSettings(input: SettingsInput = {}): Settings {
  const { env = {}, defaults = {} } = input;
  refuseUnknownAuth(env);
  const given = givenIn(input);
  const entries = SETTINGS.map(({ key, initial }) => {
    const found = given.get(key);
    if (found) return [key, readOne(key, found)];
    return [key, key in defaults ? defaults[key] : initial];
  });
  // Each value was read by the schema of its key, or is that key's default.
  const settings = Object.fromEntries(entries) as Settings;
  refuseHalfAuth(settings);
  refuseHalfPushAuth(settings);
  refuseOpenDoor(settings);
  refuseNoDatabase(settings);
  return settings;
}

/** One line for each thing that was given and has no effect: variables that are no settings, settings without use here. */
export function settingsNotes(input: SettingsInput = {}): readonly string[] {
  const given = givenIn(input);
  return [
    ...unknownVariables(input.env ?? {}).map(
      (name) => `${name} is not a setting of this version and is ignored`,
    ),
    ...[...given].flatMap(([key, { source }]) => {
      const { unused }: Definition = definitions[key];
      return unused === undefined ? [] : [`${key} (${source}) has no effect: ${unused}`];
    }),
  ];
}

/** Names of variables that look like settings of the server and are none: misspelled, or not known to this version. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(SETTINGS.map(({ env: name }) => name));
  return Object.keys(env).filter((name) => /^RESONATE_\w+__/.test(name) && !known.has(name));
}

/** The hosts that pushes show their token to: the allowed ones that have a name or an address. A range names nobody. */
export function namedTargets(settings: Settings): readonly string[] {
  return settings["transports.http_push.allow_targets"].filter((target) => !target.includes("/"));
}

/** Whether only programs on this machine can reach an address. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith("127.");
  return address === "localhost" || address === "::1";
}

interface Given {
  readonly text: string;
  /** The flag, the variable or the file that it was given by. */
  readonly source: string;
}

/** What was given, by whatever wins. */
function givenIn({ env = {}, file, flags = {} }: SettingsInput): ReadonlyMap<SettingKey, Given> {
  const texts = file && textsOf(file);
  const given = new Map<SettingKey, Given>();
  for (const { key, flag, env: name } of SETTINGS) {
    const { env: common }: Definition = definitions[key];
    const inFlags = flags[key];
    const inFile = texts?.get(key);
    if (inFlags !== undefined) given.set(key, { text: inFlags, source: flag });
    else if (env[name]) given.set(key, { text: env[name], source: name });
    else if (file && inFile !== undefined) given.set(key, { text: inFile, source: file.path });
    else if (common && env[common]) given.set(key, { text: env[common], source: common });
  }
  return given;
}

function readOne(key: SettingKey, { text, source }: Given): unknown {
  const { schema, allowed, secret }: Definition = definitions[key];
  const read = schema.safeParse(text);
  if (read.success) return read.data;
  const got = secret ? "" : `; got '${text}'`;
  throw new SettingsError(`${key} (${source}) must be ${allowed}${got}`);
}

/** Elsewhere a misspelled variable may be meant for another program; here somebody would believe that tokens are checked. */
function refuseUnknownAuth(env: Readonly<Record<string, string | undefined>>): void {
  const wrong = unknownVariables(env).find((name) => name.startsWith("RESONATE_AUTH__"));
  if (wrong === undefined) return;
  const known = SETTINGS.filter(({ key }) => key.startsWith("auth.")).map(({ env: name }) => name);
  throw new SettingsError(`${wrong} is no setting; there are ${known.join(", ")}`);
}

function refuseHalfAuth(settings: Settings): void {
  if (settings["auth.publickey"] !== undefined) return;
  for (const key of ["auth.iss", "auth.aud"] as const) {
    if (settings[key] === undefined) continue;
    throw new SettingsError(`${key} is set without auth.publickey, so no token would be checked`);
  }
}

function refuseHalfPushAuth(settings: Settings): void {
  const mode = "transports.http_push.auth.mode is bearer, and transports.http_push.";
  if (settings["transports.http_push.auth.mode"] === "none") return;
  if (settings["transports.http_push.auth.token"] === undefined) {
    throw new SettingsError(`${mode}auth.token is not set`);
  }
  if (namedTargets(settings).length === 0) {
    throw new SettingsError(`${mode}allow_targets names no host, so the token would never be sent`);
  }
}

function refuseOpenDoor(settings: Settings): void {
  const bind = settings["server.bind"];
  const key = settings["auth.publickey"];
  if (isLoopback(bind) || settings.insecure || (key !== undefined && key !== "none")) return;
  throw new SettingsError(
    `server.bind ${bind} would let everyone who reaches this machine run and read everything, because ` +
      `${key === "none" ? "auth.publickey none checks no signatures" : "there is no authentication"}; ` +
      "use 127.0.0.1, set auth.publickey, or add --insecure when something else keeps strangers out",
  );
}

function refuseNoDatabase(settings: Settings): void {
  if (settings["storage.type"] !== "postgres" || settings["storage.postgres.url"]) return;
  throw new SettingsError(
    "storage.type is postgres, and storage.postgres.url does not say which database: postgres://user:password@host:5432/database",
  );
}

function envName(key: string): string {
  return `RESONATE_${key.replaceAll(".", "__").toUpperCase()}`;
}

function flagName(key: string): string {
  return `--${key.replaceAll(/[._]/g, "-")}`;
}
