/** The page that the server serves, built again when its sources have changed since. */
import { execFile } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PACKAGE = fileURLToPath(new URL("../../packages/dashboard/", import.meta.url));
const SOURCES = ["src/**/*.*", "public/*", "index.html", "vite.config.ts", "package.json"];

/** Takes about 2 s when there is something to build. */
export async function buildPage(): Promise<void> {
  const changedAt = Math.max(...globSync(SOURCES, { cwd: PACKAGE }).map(changed));
  const builtAt = changed("dist/index.html");
  if (builtAt > changedAt) return;
  const vite = createRequire(join(PACKAGE, "package.json")).resolve("vite/package.json");
  const args = [join(vite, "../bin/vite.js"), "build", "--logLevel", "error"];
  await promisify(execFile)(process.execPath, args, { cwd: PACKAGE });
}

function changed(file: string): number {
  return statSync(join(PACKAGE, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
