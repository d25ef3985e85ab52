/** The tool that makes syncs fail and writes down what is written; it is installed where that can be done at once. */
import { spawnSync } from "node:child_process";

const INSTALL_MS_MAX = 60_000;

/** Whether there is a strace now; says so once when there is not. */
export function hasStrace(): boolean {
  if (works()) return true;
  if (process.getuid?.() === 0) {
    const args = ["install", "-y", "-qq", "--no-install-recommends", "strace"];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", args, { stdio: "ignore", timeout: INSTALL_MS_MAX, env });
    if (works()) return true;
  }
  process.stderr.write(
    "failing syncs and power loss are not tested: there is no strace (apt-get install strace)\n",
  );
  return false;
}

function works(): boolean {
  return spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;
}
