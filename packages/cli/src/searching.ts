/** Pages: what every search takes. */
import type { Command } from "commander";
import { wholeNumberOf } from "./options.ts";

/** How many records a server gives at once. */
const PAGE = { min: 1, max: 1_000 } as const;

export interface PageOptions {
  readonly limit: string;
  readonly cursor?: string;
}

/** Adds how much to print, and where to go on. */
export function addPageOptions(command: Command, { limit }: { readonly limit: number }): Command {
  return command
    .option("--limit <number>", `at most so many, ${PAGE.min} to ${PAGE.max}`, String(limit))
    .option("--cursor <cursor>", "go on where the page before ended");
}

export function pageOf({ limit, cursor }: PageOptions) {
  return {
    limit: wholeNumberOf("--limit", limit, PAGE),
    ...(cursor === undefined ? {} : { cursor }),
  };
}
