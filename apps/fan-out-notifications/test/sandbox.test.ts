import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Sandbox, startSandbox } from "../src/sandbox.ts";

let folder: string;
let sandbox: Sandbox | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandbox-"));
});
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(failsFirst?: "push"): Promise<Sandbox> {
  sandbox = await startSandbox({ path: join(folder, "sandbox.jsonl"), failsFirst });
  return sandbox;
}

async function post(url: string, headers: Record<string, string>): Promise<number> {
  const { status } = await fetch(url, { method: "POST", headers });
  return status;
}

test("a key is delivered once, also by the sandbox of the next process", async () => {
  const first = await start();
  const key = { "Idempotency-Key": "k" };
  expect(await post(`${first.url}/slack`, key)).toBe(200);
  expect(await post(`${first.url}/slack`, key)).toBe(200);
  await first.close();

  const second = await start();
  expect(await post(`${second.url}/slack`, key)).toBe(200);

  expect(second.received.map(({ did }) => did)).toEqual(["delivered", "repeated", "repeated"]);
});

test("a channel that fails first delivers the second request for a key", async () => {
  const { url, received } = await start("push");
  const key = { "Idempotency-Key": "k" };
  expect(await post(`${url}/push`, key)).toBe(503);
  expect(await post(`${url}/push`, key)).toBe(200);
  expect(received.map(({ did }) => did)).toEqual(["failed", "delivered"]);
});

test("a request without a key, or to a channel that does not exist, is refused and not kept", async () => {
  const { url, received } = await start();
  expect(await post(`${url}/slack`, {})).toBe(404);
  expect(await post(`${url}/pigeon`, { "Idempotency-Key": "k" })).toBe(404);
  expect(received).toEqual([]);
});
