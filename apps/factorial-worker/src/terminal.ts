/** How this worker writes to its terminal: plain lines, in its own colour where somebody looks. */
import { styleText } from "node:util";
import type { Logger } from "@resonate-ts/sdk";

/** Longest product that is written out, in digits. */
const DIGITS_SHOWN_MAX = 60;
const COLORS = ["cyan", "magenta", "yellow", "green", "blue", "red"] as const;

/** Writes lines that begin with the worker's name. */
export function lineWriter(name: string): (line: string) => void {
  const color = COLORS[sum(name) % COLORS.length] ?? "cyan";
  const label = styleText(color, `[${name}]`);
  return (line) => process.stdout.write(`${label} ${line}\n`);
}

/** A product as one line can hold it. */
export function shown(product: bigint): string {
  const digits = String(product);
  if (digits.length <= DIGITS_SHOWN_MAX) return digits;
  return `${digits.slice(0, 20)}…${digits.slice(-10)} (${digits.length} digits)`;
}

/** What the SDK has to say that a person should know. */
export function terminalLogger(write: (line: string) => void): Logger {
  const silent = () => {};
  const loud = (_: object, message: string) => write(message);
  return { debug: silent, info: silent, warn: loud, error: loud };
}

function sum(text: string): number {
  return [...text].reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
}
