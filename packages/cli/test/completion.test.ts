/** Completion, in a real bash that has nothing but what is printed. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resonate } from "./command.ts";

const BIN = fileURLToPath(new URL("../bin/resonate.js", import.meta.url));
const bash = promisify(execFile);

let folder: string;
let script: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "resonate-completion-"));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`;
  writeFileSync(join(folder, "resonate"), command, { mode: 0o755 });
  const printed = await resonate(["completion", "bash"]);
  expect(printed).toMatchObject({ code: 0, err: "" });
  script = printed.out;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a tab after these words offers, the last of which is not ended. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const typed = ["resonate", ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const program = [
    script,
    // Loading it twice does no harm.
    script,
    `COMP_WORDS=(${typed.join(" ")}); COMP_CWORD=${words.length}`,
    "__resonate_complete",
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  const { stdout, stderr } = await bash("bash", ["--norc", "--noprofile", "-c", program], {
    cwd: folder,
    env: { PATH: `${folder}:/usr/bin:/bin` },
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

describe("a tab offers", () => {
  test.each([
    ["verbs", ["wo"], ["workers"]],
    [
      "verbs of a group",
      ["promises", "re"],
      ["resolve", "reject", "register-callback", "register-listener"],
    ],
    ["verbs of a group by its other name", ["task", "comp"], ["complete"]],
    ["options", ["invoke", "greet-1", "--ta"], ["--target"]],
    ["options after others", ["invoke", "-S", "http://x", "--wa"], ["--wait"]],
    [
      "values of an option",
      ["list", "--state", "rejected_"],
      ["rejected_canceled", "rejected_timedout"],
    ],
    ["nothing where there is nothing", ["tree", "greet-"], []],
  ])("%s: %j", async (_name, words, offers) => {
    expect(await offered(...words)).toEqual(offers);
  });

  test("all verbs, but those that people do not call", async () => {
    const verbs = await offered("");

    expect(verbs).toContain("dev");
    expect(verbs).toContain("completion");
    expect(verbs).not.toContain("complete");
  });
});

test("a tab runs nothing of what was typed", async () => {
  await offered("tree", "$(touch run)", "`touch run`", "; touch run;", "");

  expect(existsSync(join(folder, "run"))).toBe(false);
});

test.each([
  ["zsh", "#compdef resonate"],
  ["fish", "complete -c resonate"],
])("there is a script for %s", async (shell, line) => {
  const { code, out } = await resonate(["completion", shell]);

  expect(code).toBe(0);
  expect(out).toContain(line);
  expect(out).toContain("resonate complete --");
});

test("of another shell there is none, and it says which there are", async () => {
  const { code, err } = await resonate(["completion", "tcsh"]);

  expect([code, err]).toEqual([2, expect.stringMatching(/^Error: .*bash, zsh, fish\.\n$/)]);
});
