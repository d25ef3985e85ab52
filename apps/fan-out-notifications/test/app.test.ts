import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runApp } from "./program.ts";

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "notifications-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** What the providers did, as `channel did`, in alphabetical order. */
function received(): readonly string[] {
  const lines = readFileSync(join(data, "sandbox.jsonl"), "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as { channel: string; did: string })
    .map(({ channel, did }) => `${channel} ${did}`)
    .sort();
}

const EACH_ONCE = ["email delivered", "push delivered", "slack delivered", "sms delivered"];

describe.each(["generator", "async"])("the %s version", (style) => {
  const other = style === "async" ? "generator" : "async";
  const run = (options: { crash?: boolean; style?: string; killAt?: RegExp } = {}) => {
    const flags = ["--data", data, "--order", "o1", "--style", options.style ?? style];
    if (options.crash) flags.push("--crash");
    return runApp(flags, options.killAt && { killAt: options.killAt });
  };

  test("sends each notification once, all at the same time", async () => {
    const { code, lines } = await run();

    expect(code).toBe(0);
    expect(received()).toEqual(EACH_ONCE);
    const times = /Wall time (\d+) ms; the channels' own times add up to (\d+) ms/.exec(
      lines.join("\n"),
    );
    expect(Number(times?.[1])).toBeLessThan(Number(times?.[2]));
  });

  test("sends nothing when the order was notified about before", async () => {
    await run();
    const { code, lines } = await run();

    expect(code).toBe(0);
    expect(lines.at(-1)).toBe("This order had been notified about before: nothing was sent.");
    expect(received()).toEqual(EACH_ONCE);
  });

  test("with --crash only push is sent again", async () => {
    const { code, lines } = await run({ crash: true });

    expect(code).toBe(0);
    expect(received()).toEqual([...EACH_ONCE, "push failed"].sort());
    expect(lines.at(-1)).toContain("email 1, sms 1, slack 1, push 2 (1 failed).");
  });

  test("killed half-way and started again, delivers nothing twice, in whichever style it goes on", async () => {
    const killed = await run({ killAt: /sms +delivered/ });
    expect(killed.code).toBe("SIGKILL");
    expect(received()).toEqual(["push delivered", "slack delivered", "sms delivered"]);

    const { code, lines } = await run({ style: other });

    expect(code).toBe(0);
    // A request whose answer the kill cut off may be made again: its key tells the provider.
    expect(received().filter((entry) => entry.endsWith("delivered"))).toEqual(EACH_ONCE);
    expect(lines.join("\n")).not.toMatch(/^ {2}slack/m);
  });
});

test("an order that another process began goes on, named but not mixed with this one's", async () => {
  const killed = await runApp(["--data", data, "--order", "cut"], { killAt: /slack +delivered/ });
  expect(killed.code).toBe("SIGKILL");

  const { lines } = await runApp(["--data", data, "--order", "other"]);

  expect(lines.filter((line) => line.includes("cut"))).toEqual([
    "Working on order cut too, which is not finished.",
  ]);
  expect(lines.at(-1)).toContain("email 1, sms 1, slack 1, push 1.");
});

test("a folder or a file that cannot be used is named, and the exit code is 2", async () => {
  const file = join(data, "notifications.db");
  writeFileSync(file, "not a database, whatever its name says".repeat(100));

  const noFolder = await runApp(["--data", join(file, "below")]);
  expect(noFolder).toEqual({
    code: 2,
    lines: [expect.stringMatching(/^fan-out-notifications: --data/)],
  });
  const noDatabase = await runApp(["--data", data]);
  expect(noDatabase.code).toBe(2);
  expect(noDatabase.lines.at(-1)).toContain("notifications.db");
});

test("it ends quietly when nobody reads what it prints any more", async () => {
  expect(await runApp(["--data", data], { closeAt: /^Order/ })).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^Order/)],
  });
});

test("wrong flags are answered with one line and exit code 2", async () => {
  const { code, lines } = await runApp(["--style", "callbacks"]);
  expect(code).toBe(2);
  expect(lines).toEqual([
    "fan-out-notifications: --style must be 'generator' or 'async'. Try --help.",
  ]);
});
