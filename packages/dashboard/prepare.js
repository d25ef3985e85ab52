/**
 * Builds the page when its sources have changed since it was built. Every installation and every packing does; whoever
 * serves the page meanwhile has the old one or the new one, and not a half.
 */
import { existsSync, globSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pageFolder } from "./index.js";

const HOME = import.meta.dirname;
const SOURCES = ["src/**/*.*", "public/*", "index.html", "vite.config.ts", "package.json"];

/** When a file has changed, in ms since the epoch; a file that is not there never has. */
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const sources = globSync(SOURCES, { cwd: HOME }).map((file) => changedAt(join(HOME, file)));
if (changedAt(join(pageFolder, "index.html")) < Math.max(...sources)) await build();

async function build() {
  const vite = await import("vite");
  const work = join(HOME, "node_modules", `.page-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const outDir = join(work, "dist");
    await vite.build({ root: HOME, logLevel: "warn", build: { outDir, emptyOutDir: true } });
    if (existsSync(pageFolder)) renameSync(pageFolder, join(work, "before"));
    renameSync(outDir, pageFolder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
