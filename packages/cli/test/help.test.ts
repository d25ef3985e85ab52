/** Every verb explains itself. */
import { describe, expect, test } from "vitest";
import { run } from "../src/run.ts";
import { memoryTerminal } from "./memory-terminal.ts";

const VERBS = {
  "": "dev serve invoke list tree watch why workers cancel retry promises tasks schedules backup restore mcp completion",
  promises: "get create resolve reject cancel search register-callback register-listener",
  tasks: "get search halt continue create claim heartbeat fence suspend complete release",
  schedules: "get create delete search",
};

const verbs = Object.entries(VERBS).flatMap(([group, names]) =>
  names.split(" ").map((name) => (group === "" ? [name] : [group, name])),
);

async function helpOf(words: readonly string[]): Promise<string> {
  const terminal = memoryTerminal();
  expect(await run([...words, "--help"], terminal)).toBe(0);
  expect(terminal.errors).toEqual([]);
  return terminal.raws.join("");
}

describe("help", () => {
  test.each(verbs.map((words) => [words]))("of %j has an example", async (words) => {
    const text = await helpOf(words);

    expect(text).toMatch(/Examples?:\n(?: {2}\$ [^\n]*\n)* {2}\$ resonate /);
  });

  test.each(Object.entries(VERBS))("of '%s' names all that there is", async (group, names) => {
    const text = await helpOf(group === "" ? [] : [group]);

    const [, commands = ""] = text.split("\nCommands:\n");
    const named = [...commands.matchAll(/^ {2}([a-z-]+)[| ]/gm)].map(([, name]) => name);
    expect(named).toEqual([...names.split(" "), "help"]);
  });
});
