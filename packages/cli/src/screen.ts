/** Lines that are drawn in place, again and again. */
import pc from "picocolors";
import { printable } from "./terminal.ts";

/** A terminal that somebody looks at and that can move its cursor. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colors: boolean;
  write(text: string): void;
}

export type Color = "cyan" | "magenta" | "blue" | "yellow" | "green" | "red" | "dim";

/** A part of a line. Control characters in it are shown, not obeyed. */
export interface Piece {
  readonly text: string;
  readonly color?: Color | undefined;
}

export type Line = readonly Piece[];

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
/** The terminal cuts what is too wide: it knows best how wide characters are. */
const CUT_LINES = "\u001b[?7l";
const WRAP_LINES = "\u001b[?7h";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

export class Frame {
  readonly #screen: Screen;
  readonly #colors: ReturnType<typeof pc.createColors>;
  /** Lines between the top of what was drawn last and the cursor; `undefined` before the first. */
  #height: number | undefined;
  #last = "";

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#colors = pc.createColors(screen.colors);
  }

  /** The most lines that a drawing may have: the cursor stands below it. */
  get rowsMax(): number {
    return Math.max(1, this.#screen.rows - 1);
  }

  /** Draws over what was drawn before. */
  draw(lines: readonly Line[]): void {
    const kept = lines.slice(0, this.rowsMax);
    const text = kept.map((line) => `${this.#textOf(line)}${CLEAR_LINE}\n`).join("");
    if (text === this.#last) return;
    this.#last = text;
    const begin = this.#height === undefined ? HIDE_CURSOR + CUT_LINES : up(this.#height);
    this.#screen.write(`${begin}${text}${CLEAR_BELOW}`);
    this.#height = kept.length;
  }

  /** Leaves what was drawn last, with the cursor below it. May be called twice. */
  end(): void {
    if (this.#height !== undefined) this.#screen.write(WRAP_LINES + SHOW_CURSOR);
    this.#height = undefined;
    this.#last = "";
  }

  #textOf(line: Line): string {
    let left = this.#screen.columns;
    let text = "";
    for (const { text: whole, color } of line) {
      // What the terminal would cut need not be sent; a character takes a column at least.
      const shown = Array.from(printable(whole)).slice(0, left);
      left -= shown.length;
      text += color && shown.length > 0 ? this.#colors[color](shown.join("")) : shown.join("");
    }
    return text;
  }
}

/** To the beginning of the line so many lines above, or of the first one there is. */
function up(lines: number): string {
  return lines === 0 ? "\r" : `\u001b[${lines}A\r`;
}
