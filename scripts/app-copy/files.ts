import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** What is made by installing, building and running. */
const MADE = new Set(["node_modules", ".resonate", ".turbo", "dist"]);

/**
 * Copies the files of an app. What they say about how to start things, other apps included, and what tests expect them
 * to say, is said for a folder that stands alone.
 */
export function copyFiles(from: string, to: string, name: string): void {
  const filter = (source: string) => !MADE.has(basename(source));
  cpSync(from, to, { recursive: true, filter });
  for (const file of globSync(["README.md", "{src,test}/**/*.ts"], { cwd: to })) {
    const path = join(to, file);
    writeFileSync(path, standingAlone(readFileSync(path, "utf8"), name));
  }
}

function standingAlone(text: string, name: string): string {
  return text
    .replaceAll(`pnpm --filter ${name} start`, "npm start --")
    .replaceAll(/pnpm --filter ([\w-]+) start/g, "(in your copy of $1) npm start --")
    .replaceAll(
      /\[([^\]]+)\]\(\.\.\/([\w-]+)\/README\.md\)/g,
      "$1 (`pnpm app:copy $2 DIR` copies it)",
    )
    .replaceAll("pnpm resonate ", "npx resonate ");
}
