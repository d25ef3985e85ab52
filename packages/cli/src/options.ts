/** Options that several commands have, and how their values are read. */
import type { Tags } from "@resonate-ts/protocol";
import type { Command } from "commander";
import { z } from "zod";
import { parseServer, type ServerAddress } from "./client.ts";
import { parseDuration } from "./duration.ts";
import { wrongInput } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export const SERVER_DEFAULT = "http://localhost:8001";

export interface ServerOptions {
  readonly server?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** Adds where the server is, and how to print, for a command that prints. */
export function addServerOptions(
  command: Command,
  { json = true }: { readonly json?: boolean } = {},
): Command {
  command
    .option(
      "-S, --server <url>",
      `where the server is (default: RESONATE_URL, or ${SERVER_DEFAULT})`,
    )
    .option("-T, --token <token>", "token to show it (default: RESONATE_TOKEN)");
  return json ? command.option("--json", "print for programs: one line of JSON") : command;
}

export function serverOf({ server, token }: ServerOptions, { env }: Terminal): ServerAddress {
  const url = parseServer(server ?? (env.RESONATE_URL || SERVER_DEFAULT));
  const shown = token ?? (env.RESONATE_TOKEN || undefined);
  return shown === undefined ? { url } : { url, token: tokenOf(shown) };
}

/** Refuses what no header can carry, before anything repeats it. */
function tokenOf(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw wrongInput("the token (--token, RESONATE_TOKEN) must be plain characters without spaces");
}

/** Reads a duration that follows `flag`, in ms. */
export function durationOf(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw wrongInput(`${flag} must be a duration above zero such as 30s or 1h30m, got '${text}'`);
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export function wholeNumberOf(flag: string, text: string, { min, max }: Range): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw wrongInput(`${flag} must be a whole number from ${min} to ${max}, got '${text}'`);
}

/** Reads the id of any promise. */
export function idOf(text: string): string {
  if (text === "") throw wrongInput("an id must not be empty");
  return text;
}

export function jsonOf(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongInput(`${flag} must be JSON, got '${text}'`);
  }
}

const tagsSchema = z.record(z.string(), z.string());

export function tagsOf(flag: string, text: string): Tags {
  const tags = tagsSchema.safeParse(jsonOf(flag, text));
  if (tags.success) return tags.data;
  throw wrongInput(`${flag} must be a JSON object of texts such as {"color":"red"}, got '${text}'`);
}

/** Prints data as JSON: for people over several lines, for programs on one. */
export function printJson(
  terminal: Terminal,
  data: unknown,
  { json = false }: ServerOptions,
): void {
  const text = JSON.stringify(data, undefined, json ? undefined : 2);
  // JSON has no line feeds but those of its layout.
  for (const line of text.split("\n")) terminal.out(line);
}
