/**
 * Every verb on a real server, word for word: `golden/session.txt` is what a person would see. After a wanted change,
 * write it again with `vitest run packages/cli/test/golden.test.ts -u`, and read the difference.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../src/run.ts";
import { RunningCommand, resonate } from "./command.ts";
import { memoryTerminal } from "./memory-terminal.ts";

const PER_COMMAND_MS = 5_000;

let server: RunningCommand;
let cwd: string;
let url: string;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), "resonate-golden-"));
  server = new RunningCommand(["dev", "--server-port", "0"], { cwd });
  [, url = ""] = await server.until(/listens on (\S+)\n/);
  await server.until(/Next: /);
});
afterAll(async () => {
  server.kill("SIGTERM");
  await server.ended;
  rmSync(cwd, { recursive: true });
});

const GLOBAL = '{"resonate:scope":"global"}';
const CALL = '{"resonate:target":"poll://any@nobody"}';
const settle = (id: string) =>
  JSON.stringify({ kind: "promise.settle", data: { id, state: "resolved" } });
const awaits = JSON.stringify([
  { kind: "promise.register_callback", data: { awaited: "gate", awaiter: "job-1" } },
]);

/** In this order; each uses what those before it left. */
const SESSION: readonly (readonly string[])[] = [
  ["invoke", "greet-1", "-f", "greet", "--arg", "World", "--target", "greeters"],
  ["invoke", "greet-1", "-f", "greet", "--json"],
  ["list"],
  ["list", "--state", "resolved", "--json"],
  ["tree", "greet-1"],
  ["tree", "greet-1", "--json"],
  ["why", "greet-1"],
  ["workers"],
  ["promises", "get", "greet-1"],
  ["promises", "create", "gate", "-t", "1h", "--tags", GLOBAL],
  ["promises", "create", "no", "-t", "1h", "--json"],
  ["promises", "create", "never", "-t", "1h", "--json"],
  ["tasks", "create", "job-1", "--pid", "me", "--ttl", "1m", "--timeout", "1h", "--tags", CALL],
  ["tasks", "heartbeat", "--pid", "me", "--tasks", '[{"id":"job-1","version":1}]'],
  ["tasks", "fence", "job-1", "--version", "1", "--action", settle("no"), "--json"],
  ["promises", "register-callback", "gate", "job-1", "--json"],
  ["promises", "register-listener", "gate", "poll://any@nobody", "--json"],
  ["tasks", "suspend", "job-1", "--version", "1", "--actions", awaits],
  ["why", "job-1"],
  ["promises", "resolve", "gate", "--json-value", '"open"', "--json"],
  ["promises", "reject", "no", "--json"],
  ["promises", "cancel", "never", "--json"],
  ["tasks", "claim", "job-1", "--pid", "me", "--version", "1", "--ttl", "1m", "--json"],
  ["tasks", "release", "job-1", "--version", "2"],
  ["tasks", "halt", "job-1"],
  ["tasks", "search", "--state", "halted"],
  ["tasks", "get", "job-1"],
  ["tasks", "continue", "job-1"],
  ["tasks", "halt", "job-1"],
  ["retry", "job-1"],
  ["tasks", "claim", "job-1", "--pid", "me", "--version", "2", "--ttl", "1m", "--json"],
  ["tasks", "complete", "job-1", "--version", "3", "--action", settle("job-1")],
  ["watch", "job-1"],
  ["tree", "job-1", "--watch"],
  ["cancel", "greet-1", "--tree"],
  ["watch", "greet-1"],
  ["promises", "search", "--state", "rejected_canceled", "--limit", "1"],
  [
    "schedules",
    "create",
    "nightly",
    "--cron",
    "0 3 * * *",
    "--promise-id",
    "n-{{.timestamp}}",
    "--promise-timeout",
    "1h",
    "--promise-tags",
    CALL,
  ],
  ["schedules", "get", "nightly", "--json"],
  ["schedules", "search", "--json"],
  ["schedules", "delete", "nightly"],
  ["backup", ".resonate/dev.db", "copy.db"],
  ["restore", "copy.db", "again.db"],
  ["mcp"],
  ["completion", "bash"],
  ["tree", "nothing"],
  ["promises", "get"],
  ["serve", "--server-port", "none"],
  ["dev", "--storage-type", "paper"],
];

test(
  "every verb prints what it should",
  async () => {
    let transcript = "";
    for (const words of SESSION) {
      const { code, out, err } = await resonate(words, { cwd, env: { RESONATE_URL: url } });
      const said = `${out}${err}`.replaceAll(/^(?=.)/gm, "  ");
      transcript += `$ resonate ${words.join(" ")}\n${said}${code === 0 ? "" : `  [exit code ${code}]\n`}\n`;
    }

    await expect(timeless(transcript)).toMatchFileSnapshot("golden/session.txt");
  },
  SESSION.length * PER_COMMAND_MS,
);

/** Without what differs from run to run. */
function timeless(text: string): string {
  return text
    .replaceAll(url, "URL")
    .replaceAll(cwd, "FOLDER")
    .replaceAll(/cli-[0-9a-f-]{36}/g, "REQUEST")
    .replaceAll(/\b1\d{12}\b/g, "INSTANT")
    .replaceAll(/(?<=[+ ])(?:\d[\d.]*(?:ms|[smh]) ?)+(?=[\s,.)])/g, (found) =>
      found.endsWith(" ") ? "TIME " : "TIME",
    );
}

test("no verb is left out", async () => {
  const missing: string[] = [];
  for (const group of ["", "promises", "tasks", "schedules"]) {
    const terminal = memoryTerminal();
    await run([group, "--help"].filter(Boolean), terminal);
    const [, commands = ""] = terminal.raws.join("").split("\nCommands:\n");
    for (const [, verb = ""] of commands.matchAll(/^ {2}([a-z-]+)[| ]/gm)) {
      const words = [group, verb].filter(Boolean);
      const shown = SESSION.some((line) => words.every((word, at) => line[at] === word));
      if (!shown && verb !== "help") missing.push(words.join(" "));
    }
  }

  expect(missing).toEqual([]);
});
