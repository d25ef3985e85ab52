/** What the READMEs of the apps point to is there. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const APPS = fileURLToPath(new URL("../../apps/", import.meta.url));

/** Those of this repository: a folder of one's own beside them may look as it likes. */
const OURS = ["crawler", "factorial-client", "factorial-worker", "fan-out-notifications"];

interface Link {
  readonly text: string;
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

describe.each(OURS)("the README of %s", (app) => {
  const readme = readFileSync(`${APPS}${app}/README.md`, "utf8");

  test("links to the lines it names", () => {
    const links = linksOf(readme);
    expect(links.length).toBeGreaterThan(0);
    for (const { text, path, line } of links) {
      const source = readFileSync(`${APPS}${app}/${path}`, "utf8").split("\n");
      expect(source[line - 1], `${path}#L${line}`).toContain(text);
    }
  });

  test("lists every source file, and none that is not there", () => {
    const table = readme.slice(readme.indexOf("## Files"));
    const listed = [...table.matchAll(/`(src\/[\w-]+\.ts)`/g)].map(([, path = ""]) => path);
    const there = readdirSync(`${APPS}${app}/src`).map((file) => `src/${file}`);
    expect(listed.toSorted()).toEqual(there.toSorted());
  });

  test("names only flags that the settings have", () => {
    const settings = readFileSync(`${APPS}${app}/src/settings.ts`, "utf8");
    const own = readme.matchAll(/`(--[a-z-]+)/g);
    for (const [, flag = ""] of own) expect(settings).toContain(flag);
  });
});

function linksOf(readme: string): readonly Link[] {
  const links = readme.matchAll(/\[`([^`]+)`\]\((src\/[\w-]+\.ts)#L(\d+)\)/g);
  return [...links].map(([, text = "", path = "", line]) => ({ text, path, line: Number(line) }));
}
