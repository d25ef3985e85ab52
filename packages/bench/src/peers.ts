/** The peers that are no part of the repository's own installation. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../peers", import.meta.url));

/** The program that measures them. */
export const MEASURE_PEERS = new URL("../peers/measure.ts", import.meta.url);

/** Installs them if they are not there yet, as their lockfile says; shows what pnpm says. They run no scripts of their own. */
export async function installPeers(print: (line: string) => void): Promise<void> {
  print("installing the peers into packages/bench/peers (about 90 MB to fetch, the first time)");
  const arguments_ = ["--dir", FOLDER, "--ignore-workspace", "install"];
  // What runs in a script of pnpm's has pnpm on its path.
  const install = spawn("pnpm", [...arguments_, "--frozen-lockfile", "--ignore-scripts"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const [code] = await once(install, "exit");
  if (code !== 0) throw new Error(`pnpm could not install the peers (code ${code})`);
}
