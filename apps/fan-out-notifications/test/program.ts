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

export interface RunOptions {
  readonly killAt?: RegExp;
  /** What it is sent at `killAt`. Default SIGKILL. */
  readonly signal?: NodeJS.Signals;
  readonly closeAt?: RegExp;
  readonly env?: Readonly<Record<string, string>>;
  readonly onStart?: (child: ChildProcess) => void;
}

/**
 * Runs the app until it ends. At a line that matches `killAt` it is sent a signal; at one that matches
 * `closeAt` its standard output is closed.
 */
export function runApp(
  args: readonly string[],
  { killAt, signal = "SIGKILL", closeAt, env: more = {}, onStart }: RunOptions = {},
): Promise<Ended> {
  const env = { PATH: process.env["PATH"], ...more };
  const child = spawn(process.execPath, ["--import", LOADER, MAIN, ...args], { env });
  processes.add(child);
  onStart?.(child);
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    const reader = createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (killAt?.test(line)) child.kill(signal);
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
