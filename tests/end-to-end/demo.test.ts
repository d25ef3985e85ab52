/** The demo, run as a newcomer runs it. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

/** Ten times what it takes on an idle machine. */
const DEMO_MS = 150_000;

afterEach(stopPrograms);

test("the demo does the main job from end to end and exits 0", { timeout: DEMO_MS }, async () => {
  const demo = new Program({ entry: "scripts/demo.ts" });

  const code = await demo.exited;

  const printed = demo.lines.map(({ text }) => text).join("\n");
  expect(printed).toContain(
    "factorial(20) = 2432902008176640000, equal to what a plain loop gives",
  );
  expect(printed).toMatch(/kill -9 (\w+), which is computing factorial\(10\)/);
  expect(printed).toMatch(/took it over and finished it \d+ ms after the kill/);
  expect(printed).toContain("computed twice: 0.");
  expect(printed).toMatch(/factorial\(12\) = 479001600 \(\d+ ms, from the cache/);
  expect(printed).toContain("factorial-20 🟢 (factorial)");
  expect(printed).toContain("email 1, sms 1, slack 1, push 1.");
  expect(printed).toContain("email 1, sms 1, slack 1, push 2 (1 failed).");
  expect(printed).toContain("Pages: 14, redirects: 1, not to be had: 1.");
  expect(printed).toContain("All of it was as it must be");
  expect(code).toBe(0);
});

test("Ctrl-C, passed on twice, stops the demo with 130 and leaves nothing behind", async () => {
  const temporary = mkdtempSync(join(tmpdir(), "resonate-stopped-"));
  const demo = new Program({ entry: "scripts/demo.ts", env: { TMPDIR: temporary } });
  await demo.line(/factorial\(2\) = 2/);

  demo.kill("SIGINT");
  demo.kill("SIGINT");

  expect(await demo.exited).toBe(130);
  expect(demo.lines.at(-1)?.text).toBe("Stopped.");
  expect(demo.lines.map(({ text }) => text).join("\n")).not.toMatch(/NOT|failed/);
  const left = readdirSync(temporary).filter((name) => name.startsWith("resonate-demo-"));
  rmSync(temporary, { recursive: true, force: true });
  expect(left).toEqual([]);
});
