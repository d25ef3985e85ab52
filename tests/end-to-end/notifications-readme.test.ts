/** What the README of the notifications app says one sees is what one sees. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

const APP = "apps/fan-out-notifications";
const PROMPT = "$ pnpm --filter fan-out-notifications start ";

let data: string;

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), "notifications-readme-"));
});
afterEach(stopPrograms);
afterAll(() => rmSync(data, { recursive: true, force: true }));

// One after the other: some tell about an order that an earlier one told about.
test.each(blocks())("$0", async (command, shown) => {
  const args = [...command.slice(PROMPT.length).split(" "), "--data", data];
  const app = new Program({ entry: `${APP}/src/main.ts`, args });

  await app.success();

  const printed = app.lines
    .map(({ text }) => text.replaceAll(data, ".resonate"))
    // How many lines of progress there are is a matter of how busy this machine is.
    .filter((line) => !line.endsWith(" a second"));
  // Which channel is first is a matter of some ms.
  expect(masked(printed).toSorted()).toEqual(masked(shown).toSorted());
});

/** The commands of what one sees, and what each prints. */
function blocks(): [command: string, shown: string[]][] {
  const readme = readFileSync(`${APP}/README.md`, "utf8");
  const section = readme.split(/^## /m).find((part) => part.startsWith("What you see")) ?? "";
  return [...section.matchAll(/^```\n([\s\S]*?)\n```$/gm)].map(([, block = ""]) => {
    const [command = "", ...shown] = block.split("\n");
    return [command, shown];
  });
}

/** Lines without what differs from run to run. */
function masked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replace(/process \d+/, "process N")
      .replace(/Wall time \d+ ms/, "Wall time N ms")
      .replace(/add up to \d+ ms/, "add up to N ms"),
  );
}
