import { expect, test } from "vitest";
import { Frame, type Line, type Screen } from "../src/screen.ts";

/** What a terminal shows after what was written to it: as far as frames need one. */
class Shown implements Screen {
  columns = 20;
  rows = 5;
  colors = false;
  writes = 0;
  modes = new Set<string>();
  #lines: string[] = [""];
  #row = 0;

  write(text: string): void {
    this.writes += 1;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them.
    for (const [token] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) {
      this.#obey(token);
    }
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #obey(token: string): void {
    if (token === "\n") {
      this.#row += 1;
      if (this.#row === this.#lines.length) this.#lines.push("");
    } else if (token.endsWith("A")) this.#row -= Number(token.slice(2, -1));
    else if (token.endsWith("J")) this.#lines.splice(this.#row, Infinity, "");
    else if (token.startsWith("\u001b[?")) this.#mode(token);
    else if (!token.startsWith("\u001b") && token !== "\r") this.#lines[this.#row] = token;
  }

  #mode(token: string): void {
    if (token.endsWith("h")) this.modes.delete(token.slice(2, -1));
    else this.modes.add(token.slice(2, -1));
  }
}

const lines = (...texts: readonly string[]): readonly Line[] => texts.map((text) => [{ text }]);

test("a frame is drawn over the one before, also where that was higher", () => {
  const screen = new Shown();
  const frame = new Frame(screen);

  frame.draw(lines("one", "two", "three"));
  frame.draw(lines("uno"));

  expect(screen.lines).toEqual(["uno", ""]);
});

test("what has not changed is not written again", () => {
  const screen = new Shown();
  const frame = new Frame(screen);

  frame.draw(lines("one"));
  frame.draw(lines("one"));

  expect(screen.writes).toBe(1);
});

test("a frame is lower than the screen, and no line of it is longer than the screen is wide", () => {
  const screen = new Shown();
  const frame = new Frame(screen);

  frame.draw(lines("x".repeat(21), "2", "3", "4", "5"));

  expect(screen.lines).toEqual(["x".repeat(20), "2", "3", "4", ""]);
});

test("the cursor and long lines are as before when it ends", () => {
  const screen = new Shown();
  const frame = new Frame(screen);

  frame.draw(lines("one"));
  const during = new Set(screen.modes);
  frame.end();
  frame.end();

  expect([...during]).toEqual(["?25", "?7"]);
  expect([...screen.modes]).toEqual([]);
  expect(screen.lines).toEqual(["one", ""]);
});

test("control characters in a line are shown", () => {
  const screen = new Shown();

  new Frame(screen).draw([[{ text: "a\r\u001b[2Jb\u202e", color: "red" }]]);

  expect(screen.lines[0]).toBe("a\\u000db\\u202e");
});
