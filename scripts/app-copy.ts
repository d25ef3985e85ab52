/** `pnpm app:copy NAME DIR`: copies an app out of this repository as a folder that stands alone. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { copyFiles } from "./app-copy/files.ts";
import { writeManifest } from "./app-copy/manifest.ts";
import { packOurs } from "./app-copy/pack.ts";
import { APPS } from "./app-copy/places.ts";

const USAGE = "Usage: pnpm app:copy NAME DIR, where DIR is a new or empty folder.";

const [name = "", dir = "", more] = words();
const problem = problemOf();
if (problem === undefined) copy();
else {
  process.stderr.write(`app:copy: ${problem}. ${USAGE}\n`);
  process.exitCode = 2;
}

function words(): readonly string[] {
  try {
    return parseArgs({ allowPositionals: true }).positionals;
  } catch {
    return [];
  }
}

function problemOf(): string | undefined {
  const names = readdirSync(APPS);
  if (!names.includes(name)) return `there is no app '${name}'; there are ${names.join(", ")}`;
  if (dir === "" || more !== undefined) return "one folder has to be named";
  if (existsSync(dir) && readdirSync(dir).length > 0) return `${dir} is not empty`;
  return undefined;
}

function copy(): void {
  const target = resolve(dir);
  mkdirSync(target, { recursive: true });
  copyFiles(join(APPS, name), target, name);
  const tarballs = packOurs(join(target, "packages"));
  writeManifest(target, { name: packageName(target), tarballs });
  process.stdout.write(`Copied to ${target}. There: npm install && npm test && npm start\n`);
}

/** A name that npm accepts. */
function packageName(target: string): string {
  const wanted = basename(target)
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .replace(/^[._-]+/, "");
  return wanted || name;
}
