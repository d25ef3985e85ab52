import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Resonate, ServerRefusedError } from "@resonate-ts/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask } from "../src/ask.ts";

let folder: string;
let asked: number[];
const clients: Resonate[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "factorial-client-"));
  asked = [];
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A client that is its own worker, in place of the real ones. */
function open(): Resonate {
  const resonate = new Resonate({ path: join(folder, "app.db"), group: "factorial-workers" });
  resonate.register("factorial", (_: Context, n: number) => {
    asked.push(n);
    return BigInt(n) * 100n;
  });
  clients.push(resonate);
  return resonate;
}

test("the first answer is computed, the second comes from the cache", async () => {
  const resonate = open();

  expect(await ask(resonate, { n: 7, split: false })).toMatchObject({ value: 700n, cached: false });
  expect(await ask(resonate, { n: 7, split: false })).toMatchObject({ value: 700n, cached: true });

  expect(asked).toEqual([7]);
});

test("an answer is still there for the next process", async () => {
  const first = open();
  await ask(first, { n: 7, split: false });
  await first.stop();

  expect(await ask(open(), { n: 7, split: false })).toMatchObject({ value: 700n, cached: true });
  expect(asked).toEqual([7]);
});

test("split, it asks for the product of a range, which has an answer of its own", async () => {
  const resonate = open();
  resonate.register("product", (_: Context, from: number, to: number) => BigInt(from * 10 + to));

  expect(await ask(resonate, { n: 7, split: true })).toMatchObject({ value: 17n, cached: false });
  expect(await ask(resonate, { n: 7, split: true })).toMatchObject({ value: 17n, cached: true });
  expect(await ask(resonate, { n: 7, split: false })).toMatchObject({ value: 700n, cached: false });
});

test("a refusal is not taken for an answer that is not there yet", async () => {
  const resonate = open();
  const requestKind = "promise.get";
  resonate.promises.get = () =>
    Promise.reject(new ServerRefusedError({ status: 401, requestKind, message: "who are you?" }));

  await expect(ask(resonate, { n: 7, split: false })).rejects.toThrow("who are you?");
});
