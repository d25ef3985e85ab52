/** How this worker meets its terminal: lines in its own colour where somebody looks, or events, and how it is ended. */
import { styleText } from "node:util";
import type { Logger } from "@resonate-ts/sdk";

/** Longest product that is written out, in digits. */
const DIGITS_SHOWN_MAX = 60;
/** A terminal and the program that started this one may both deliver one Ctrl-C: within this time, in ms, it is the same. */
const SAME_SIGNAL_MS = 500;

const COLORS = ["cyan", "magenta", "yellow", "green", "blue", "red"] as const;

export interface TerminalOptions {
  /** What the worker is called: lines begin with it. */
  readonly name: string;
  /** Events as lines of JSON, in place of lines for people. */
  readonly json: boolean;
}

/** Where this worker writes: lines for a person, or else events for a program. */
export class Terminal {
  readonly #name: string;
  readonly #json: boolean;
  readonly #label: string;

  constructor({ name, json }: TerminalOptions) {
    this.#name = name;
    this.#json = json;
    this.#label = styleText(COLORS[sum(name) % COLORS.length] ?? "cyan", `[${name}]`);
  }

  /** A line for a person. */
  line(text: string): void {
    if (!this.#json) process.stdout.write(`${this.#label} ${text}\n`);
  }

  /** A line of JSON for a program. */
  event(event: string, fields: object): void {
    if (!this.#json) return;
    process.stdout.write(`${JSON.stringify({ event, worker: this.#name, ...fields })}\n`);
  }
}

/** A product as one line can hold it. */
export function shown(product: bigint): string {
  const digits = String(product);
  if (digits.length <= DIGITS_SHOWN_MAX) return digits;
  return `${digits.slice(0, 20)}…${digits.slice(-10)} (${digits.length} digits)`;
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
export function terminalLogger(terminal: Terminal): Logger {
  const silent = () => {};
  const loud = (_: object, message: string) => {
    terminal.line(message);
    terminal.event("log", { message });
  };
  return { debug: silent, info: silent, warn: loud, error: loud };
}

function sum(text: string): number {
  return [...text].reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
}
