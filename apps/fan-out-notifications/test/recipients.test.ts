import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readList } from "../src/recipients.ts";
import { sampleRecipient } from "../src/sandbox.ts";
import { temporaryFolder } from "./lab.ts";

function fileWith(...lines: readonly string[]): string {
  const path = join(temporaryFolder(), "list.jsonl");
  writeFileSync(path, lines.join("\n"));
  return path;
}

test("a list is counted and named by what is in it", () => {
  const lines = [0, 1, 2].map((number) => JSON.stringify(sampleRecipient(number)));
  const path = fileWith(...lines, "", "");
  expect(readList(path)).toEqual({
    path,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    count: 3,
  });
});

test.each([
  [['{"id":"a"}', "{"], "line 2: "],
  [['{"id":"a","email":"a@example.com\\r\\nBcc: b@example.com"}'], "line 1: email must be"],
  [['{"id":"a","name":"A\\nBcc: b@example.com"}'], "line 1: name must be one line"],
  [['{"id":"a","phone":"555"}'], "line 1: phone must be a number such as"],
  [['{"id":"a","mail":"a@example.com"}'], "mail"],
  [
    ['{"id":"a","push":{"endpoint":"file:///etc/passwd","keys":{"p256dh":"a","auth":"b"}}}'],
    "push.",
  ],
  [['{"id":"a:b"}'], "line 1: id must be"],
  [['{"id":"a"}', '{"id":"a"}'], "recipient 'a' is in it twice"],
  [[], "it has no recipients"],
])("%j is refused: %s", (lines, message) => {
  expect(() => readList(fileWith(...lines))).toThrow(message);
});

test("a list of more than 10,000 is refused", () => {
  const lines = Array.from({ length: 10_001 }, (_, at) => `{"id":"r${at}"}`);
  expect(() => readList(fileWith(...lines))).toThrow("10001 recipients, and 10000 is the most");
  expect(readList(fileWith(...lines.slice(1))).count).toBe(10_000);
});
