/** The configuration file: TOML, its tables and keys spelled as the settings are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { definitions } from "./setting-definitions.ts";
import { SettingsError } from "./settings-error.ts";

/** The file that is read when none is named. */
const NAME = "resonate.toml";

export interface SettingsFile {
  /** As messages name it. */
  readonly path: string;
  readonly text: string;
}

/**
 * Reads the file at `path`; without one, `resonate.toml` in `folder`, which may be absent.
 *
 * @throws SettingsError when a named file is absent, and when a file cannot be read.
 */
export function findSettingsFile(
  path: string | undefined,
  folder: string,
): SettingsFile | undefined {
  try {
    return { path: path ?? NAME, text: readFileSync(path ?? join(folder, NAME), "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (path === undefined && code === "ENOENT") return undefined;
    throw new SettingsError(`the configuration file '${path ?? NAME}' cannot be read (${code})`);
  }
}

/**
 * What a file says, as text by key.
 *
 * @throws SettingsError for what is not TOML, and for a key that is no setting.
 */
export function textsOf(file: SettingsFile): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of leaves(parseToml(file), "")) {
    const definition = Object.hasOwn(definitions, key)
      ? definitions[key as keyof typeof definitions] // It is one of them.
      : undefined;
    if (!definition) throw new SettingsError(`${file.path}: '${key}' is no setting; ${near(key)}`);
    const text = textOf(value, "list" in definition);
    if (text === undefined) {
      throw new SettingsError(`${key} (${file.path}) must be ${definition.allowed}`);
    }
    texts.set(key, text);
  }
  return texts;
}

function parseToml({ path, text }: SettingsFile): object {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [line = "", ...rest] = error.message.split("\n");
    const what = line.replace("Invalid TOML document: ", "") || rest.join(" ");
    throw new SettingsError(`${path}:${error.line}:${error.column}: ${what}`);
  }
}

/** The values of a table and of those in it, each with its whole key. */
function* leaves(table: object, parent: string): Generator<[key: string, value: unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const key = `${parent}${name}`;
    if (isTable(value)) yield* leaves(value, `${key}.`);
    else yield [key, value];
  }
}

function isTable(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]";
}

function textOf(value: unknown, isList: boolean): string | undefined {
  if (Array.isArray(value)) {
    return isList && value.every((one) => typeof one === "string") ? value.join(",") : undefined;
  }
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** The settings of the table that the key would be in, or all tables. */
function near(key: string): string {
  const table = key.slice(0, key.lastIndexOf(".") + 1);
  const keys = Object.keys(definitions);
  const siblings = keys.filter((known) => table !== "" && known.startsWith(table));
  if (siblings.length > 0) return `there are ${siblings.join(", ")}`;
  return `settings start with ${[...new Set(keys.map((known) => known.split(".")[0]))].join(", ")}`;
}
