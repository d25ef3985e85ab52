/** How this program meets its terminal: the lines it writes, and how it is ended. */
import type { Logger } from "@resonate-ts/sdk";

/** A terminal and the program that started this one may both deliver one Ctrl-C: within this time, in ms, it is the same. */
const SAME_SIGNAL_MS = 500;

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Calls `stop` and exits 0 at Ctrl-C (or SIGTERM), and when nobody reads the output any more, as after `| head`.
 * A second signal exits at once, with 1.
 */
export function onEnd(stop: () => Promise<void>): void {
  let since: number | undefined;
  const end = async () => {
    if (since !== undefined) return;
    since = performance.now();
    await stop();
    process.exit(0);
  };
  const signalled = () => {
    if (since !== undefined && performance.now() - since > SAME_SIGNAL_MS) process.exit(1);
    return end();
  };
  process.on("SIGINT", signalled);
  process.on("SIGTERM", signalled);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      void end();
    });
  }
}

/** What the SDK has to say that a person should know. */
export function terminalLogger(): Logger {
  const silent = () => {};
  const loud = (_: object, message: string) => process.stderr.write(`${message}\n`);
  return { debug: silent, info: silent, warn: loud, error: loud };
}
