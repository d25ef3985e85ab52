/** The guide's table of settings is what the server reads. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SETTINGS, type SettingInfo } from "../src/settings.ts";

const GUIDE = new URL("../../../docs/server.md", import.meta.url);

function rowOf({ key, initial, otherwise, help }: SettingInfo): string {
  const none = initial === undefined || (Array.isArray(initial) && initial.length === 0);
  const fallback = none ? (otherwise ?? "none") : `\`${String(initial)}\``;
  return `| \`${key}\` | ${fallback} | ${help} |`;
}

test("the table in docs/server.md has every setting that has an effect, as it is", () => {
  const [, section = ""] = readFileSync(GUIDE, "utf8").split(/^## /m);

  const table = section.split("\n").filter((line) => /^\| `[a-z_.]+` \|/.test(line));
  expect(table.map((line) => line.replaceAll(/ +/g, " "))).toEqual(
    SETTINGS.filter(({ unused }) => !unused).map((setting) => rowOf(setting)),
  );
});

test("docs/server.md names every setting that is accepted without effect", () => {
  const guide = readFileSync(GUIDE, "utf8");

  for (const { key, unused } of SETTINGS) if (unused) expect(guide).toContain(`\`${key}\``);
});
