/** Where a command writes, and what surrounds it. */
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import type { Screen } from "./screen.ts";

export type Style = "bold" | "dim" | "red";

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Somebody is looking at what `err` writes while it is written. Default no. */
  readonly watched?: boolean;
  /** Somebody looks at what `out` writes, and it can be drawn over. */
  readonly screen?: Screen;
  /** Writes one line of what was asked for. Control characters in it are shown, not obeyed. */
  out(line: string, style?: Style): void;
  /** Writes one line about what happens or went wrong. Control characters in it are shown, not obeyed. */
  err(line: string, style?: Style): void;
  /** Writes text of our own (help) as it is. */
  raw(text: string, to: "out" | "err"): void;
}

/** The terminal of this process. Colours only where somebody looks; a reader that leaves early is no error. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) stream.on("error", ignoreClosedPipe);
  const write = (stream: NodeJS.WriteStream) => {
    const colors = pc.createColors(stream.isTTY === true && !env.NO_COLOR);
    return (line: string, style?: Style) => {
      const text = printable(line);
      stream.write(`${style ? colors[style](text) : text}\n`);
    };
  };
  return {
    env,
    watched: stderr.isTTY === true,
    ...(stdout.isTTY && env.TERM !== "dumb" && { screen: screenOf(stdout, !env.NO_COLOR) }),
    out: write(stdout),
    err: write(stderr),
    raw: (text, to) => {
      (to === "out" ? stdout : stderr).write(text);
    },
  };
}

function screenOf(stream: NodeJS.WriteStream, colors: boolean): Screen {
  return {
    colors,
    // A terminal of an unknown size says 0.
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    write: (text) => {
      stream.write(text);
    },
  };
}

/** C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line without control characters: colour codes are dropped, others are shown as `\uXXXX`, as in JSON. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
