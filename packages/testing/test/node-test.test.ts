/** The lab takes nothing from the test runner: the same works in Node's own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("a lab works in node:test, which ends by itself afterwards", async () => {
  const file = fileURLToPath(new URL("./in-node-test.ts", import.meta.url));
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;

  const { stdout } = await promisify(execFile)(process.execPath, ["--test", file], { env });

  expect(stdout).toMatch(/pass 1\n/);
  expect(stdout).toMatch(/fail 0\n/);
});
