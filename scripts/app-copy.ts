/** `pnpm app:copy NAME DIR`: copies an app out of this repository as a folder that stands alone. */
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { copyApp } from "./app-copy/copy-app.ts";
import { APPS } from "./app-copy/places.ts";

const USAGE = "Usage: pnpm app:copy NAME DIR, where DIR is a new or empty folder.";

const [name = "", dir = "", more] = process.argv.slice(2);
const problem = problemOf();
if (problem === undefined) {
  const target = resolve(dir);
  copyApp(name, target);
  process.stdout.write(`Copied to ${target}. There: npm install && npm test && npm start\n`);
} else {
  process.stderr.write(`app:copy: ${problem}. ${USAGE}\n`);
  process.exitCode = 2;
}

function problemOf(): string | undefined {
  const names = readdirSync(APPS);
  if (!names.includes(name)) return `there is no app '${name}'; there are ${names.join(", ")}`;
  if (dir === "" || more !== undefined) return "one folder has to be named";
  if (existsSync(dir) && readdirSync(dir).length > 0) return `${dir} is not empty`;
  return undefined;
}
