/** This app as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const LOADER = import.meta.resolve("tsx");
const processes = new Set<ChildProcess>();

afterEach(() => {
  for (const child of processes) child.kill("SIGKILL");
});

export interface Ended {
  readonly code: number | NodeJS.Signals;
  /** On either stream. */
  readonly lines: readonly string[];
}

/**
 * Runs the app until it ends. At the first line that matches `killAt` it is killed with SIGKILL, at one that matches
 * `interruptAt` it gets SIGINT; at one that matches `closeAt` its standard output is closed.
 */
export function runApp(
  args: readonly string[],
  {
    killAt,
    interruptAt,
    closeAt,
  }: { killAt?: RegExp; interruptAt?: RegExp; closeAt?: RegExp } = {},
): Promise<Ended> {
  const env = { PATH: process.env["PATH"] };
  const child = spawn(process.execPath, ["--import", LOADER, MAIN, ...args], { env });
  processes.add(child);
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    const reader = createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (killAt?.test(line)) child.kill("SIGKILL");
      if (interruptAt?.test(line)) child.kill("SIGINT");
      if (!closeAt?.test(line)) return;
      reader.close();
      child.stdout.destroy();
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      processes.delete(child);
      resolve({ code: code ?? signal ?? 0, lines });
    });
  });
}
