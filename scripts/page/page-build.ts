/** The page that the server serves, built again when its sources have changed since. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BUILD = fileURLToPath(new URL("../../packages/dashboard/prepare.js", import.meta.url));

/** Takes about 2 s when there is something to build. */
export async function buildPage(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILD]);
}
