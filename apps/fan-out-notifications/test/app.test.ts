import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Sandbox, sampleRecipient } from "../src/sandbox.ts";
import { accountsEnv } from "./accounts-env.ts";
import { openSandbox } from "./lab.ts";
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
    // A request whose record the kill cut off may be made again: its key tells the provider.
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

test("without a server it says where it looked and how to start one, and waits until Ctrl-C", async () => {
  const ended = await runApp(["--data", data, "--server", "http://127.0.0.1:9"], {
    killAt: /waiting for it/,
    signal: "SIGINT",
  });
  expect(ended).toEqual({
    code: 0,
    lines: [
      'No Resonate server answers at http://127.0.0.1:9. Start one with "pnpm resonate dev"; waiting for it.',
    ],
  });
});

test("an order goes on as it began, and is not begun in another way", async () => {
  const first = ["--data", data, "--order", "o1", "--channels", "email,webhook", "--policy", "any"];
  expect((await runApp(first)).code).toBe(0);

  expect((await runApp(["--data", data, "--order", "o1"])).lines.at(-1)).toBe(
    "This order had been notified about before: nothing was sent.",
  );
  expect((await runApp(first)).code).toBe(0);
  expect(await runApp(["--data", data, "--order", "o1", "--channels", "sms"])).toEqual({
    code: 2,
    lines: [expect.stringMatching(/order o1 has begun with other settings/)],
  });
  expect(received()).toEqual(["email delivered", "webhook delivered"]);
});

test("a list that is told about again, as it was, is told nothing", async () => {
  const flags = ["--data", data, "--order", "o1", "--sample", "3", "--channels", "sms,slack"];
  expect((await runApp(flags)).lines).toContain("  sms      delivered 3");

  const { code, lines } = await runApp(flags);

  expect(code).toBe(0);
  expect(lines).toContain("This order had been notified about before: nothing was sent.");
  expect(received()).toHaveLength(4);
});

test("--json prints an event per line", async () => {
  const { lines } = await runApp(["--data", data, "--order", "o1", "--json"]);
  const events = lines.map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual([
    "start",
    "sent",
    "sent",
    "sent",
    "sent",
    "end",
  ]);
  expect(events.at(-1)).toMatchObject({ met: true });
  expect(events.at(-1).outcomes).toHaveLength(4);
});

describe("with accounts", () => {
  /** One recipient, who can be reached at the providers of `sandbox`. */
  function listFor(sandbox: Sandbox): string {
    const path = join(data, "list.jsonl");
    const { push, ...ada } = sampleRecipient(0);
    const endpoint = `${sandbox.push.url}/push/ada`;
    writeFileSync(path, `${JSON.stringify({ ...ada, push: push && { ...push, endpoint } })}\n`);
    return path;
  }

  test("every channel is real", async () => {
    const providers = await openSandbox();
    const channels = ["--channels", "email,sms,slack,push,webhook"];

    const { code, lines } = await runApp(
      ["--data", data, "--recipients", listFor(providers), ...channels],
      { env: accountsEnv(providers) },
    );

    expect([code, ...lines]).toContain(0);
    expect(providers.received.map(({ channel, did }) => `${channel} ${did}`).toSorted()).toEqual(
      [...EACH_ONCE, "webhook delivered"].toSorted(),
    );
    expect(lines.join("\n")).toContain("1 of 1 recipients notified.");
  });

  test("people of the sandbox are not written to", async () => {
    const env = accountsEnv(await openSandbox());
    expect(await runApp(["--data", data], { env })).toEqual({
      code: 2,
      lines: [expect.stringMatching(/account for email, so --recipients must say whom/)],
    });
  });

  test.each([
    ["fail", "unknown 1", ["email delivered"], 1],
    ["retry", "delivered 1", ["email delivered", "email repeated"], 0],
  ] as const)(
    "killed while a provider delivers: by '%s' the message is %s",
    async (how, outcome, did, exit) => {
      let child: ChildProcess | undefined;
      const providers = await openSandbox({ onReceived: () => child?.kill("SIGKILL") });
      const flags = ["--data", data, "--order", "o1"];
      const told = ["--channels", "email", "--ambiguous", `email=${how}`];
      const env = accountsEnv(providers);
      const killed = await runApp([...flags, ...told, "--recipients", listFor(providers)], {
        env,
        onStart: (started) => {
          child = started;
        },
      });
      expect(killed.code).toBe("SIGKILL");
      child = undefined;

      const { code, lines } = await runApp(flags, { env });

      expect(lines.join("\n")).toContain(`email    ${outcome}`);
      expect(providers.received.map(({ channel, did }) => `${channel} ${did}`)).toEqual(did);
      expect(new Set(providers.received.map(({ key }) => key)).size).toBe(1);
      expect(code).toBe(exit);
    },
  );
});
