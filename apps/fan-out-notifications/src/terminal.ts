/** How this program meets its terminal: the lines it writes, and how it is ended. */
import { stripVTControlCharacters } from "node:util";
import type { Logger } from "@resonate-ts/sdk";

/** A terminal and the program that started this one may both deliver one Ctrl-C: within this time, in ms, it is the same. */
const SAME_SIGNAL_MS = 500;

/** Where this program writes: lines for a person, or else events for a program. */
export class Terminal {
  readonly #json: boolean;
  readonly #tty = process.stdout.isTTY === true;
  #live = "";

  constructor({ json }: { readonly json: boolean }) {
    this.#json = json;
  }

  /** Whether there is somebody to watch a line change. */
  get tty(): boolean {
    return this.#tty;
  }

  /** A line for a person. */
  line(text: string): void {
    if (this.#json) return;
    const shown = this.#tty ? text : stripVTControlCharacters(text);
    process.stdout.write(`${this.#cleared()}${shown}\n${this.#live}`);
  }

  /** The line at the bottom, which the next one replaces; elsewhere a line like any other. */
  live(text: string): void {
    if (!this.#tty) this.line(text);
    if (!this.#tty || this.#json) return;
    const clear = this.#cleared();
    const width = process.stdout.columns || 80;
    this.#live = text.length < width ? text : "";
    process.stdout.write(`${clear}${this.#live}`);
  }

  /** Takes the live line away. */
  end(): void {
    process.stdout.write(this.#cleared());
    this.#live = "";
  }

  /** A line of JSON for a program. */
  event(event: string, fields: object): void {
    if (this.#json) process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  }

  #cleared(): string {
    return this.#live === "" ? "" : "\r\x1b[2K";
  }
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
