import { expect, test } from "vitest";
import { answerOf, answerTo, retryAfterMs } from "../src/adapter.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");

function answer(status: number, retryAfter?: string) {
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return answerOf({ status, headers, text: "" }, { now: NOW, accepted: () => "m" });
}

test.each([
  [200, "accepted"],
  [204, "accepted"],
  [302, "refused"],
  [400, "refused"],
  [404, "refused"],
  [408, "silent"],
  [429, "busy"],
  [500, "silent"],
  [502, "silent"],
  [503, "busy"],
  [504, "silent"],
])("%i is %s", (status, kind) => {
  expect(answer(status).kind).toBe(kind);
});

test.each([
  ["0", 0],
  ["120", 120_000],
  ["Fri, 20 Nov 2026 12:00:30 GMT", 30_000],
  ["Fri, 20 Nov 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  [undefined, undefined],
  [["1", "2"], undefined],
])("Retry-After: %s means %s ms", (given, ms) => {
  expect(retryAfterMs(given, NOW)).toBe(ms);
});

test("what a provider says is one short line", () => {
  const text = `no\r\n\u001b[31m${"x".repeat(1_000)}`;
  const { why = "" } = {
    ...answerOf({ status: 400, headers: {}, text }, { now: NOW, accepted: String }),
  } as { why?: string };
  expect(why).toMatch(/^answered 400: no \[31mx+$/);
  expect(why.length).toBeLessThan(250);
});

test.each([
  [{ code: "ECONNREFUSED" }, "busy"],
  [{ code: "ENOTFOUND" }, "busy"],
  [{ code: "ESOCKET", command: "CONN" }, "busy"],
  [{ code: "ECONNRESET" }, "silent"],
  [{ code: "UND_ERR_SOCKET", message: "other side closed" }, "silent"],
  [{ code: "EENVELOPE", responseCode: 550, response: "550 no such user" }, "refused"],
  [{ code: "EMESSAGE", responseCode: 451, response: "451 try later" }, "busy"],
  ["anything", "silent"],
])("%j is %s", (error, kind) => {
  expect(answerTo(error).kind).toBe(kind);
});
