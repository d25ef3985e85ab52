import { expect, test } from "vitest";
import { type Answer, judge, judgeFound } from "../src/judge.ts";
import type { Route } from "../src/notification.ts";

const ROUTE: Route = {
  channel: "sms",
  via: "sandbox",
  timeoutMs: 1_000,
  attemptsMax: 3,
  ambiguous: "retry",
};
const BUSY: Answer = { kind: "busy", why: "answered 503" };
const SILENT: Answer = { kind: "silent", why: "no answer" };

test.each([
  [1, 500],
  [2, 1_000],
])("attempt %i is followed by another one after %i ms", (attempt, afterMs) => {
  for (const answer of [BUSY, SILENT]) {
    expect(judge(answer, ROUTE, attempt)).toEqual({ kind: "again", afterMs });
  }
});

test("waits grow to a minute and no further", () => {
  expect(judge(BUSY, { ...ROUTE, attemptsMax: 100 }, 99)).toEqual({
    kind: "again",
    afterMs: 60_000,
  });
});

test("after the last attempt what was refused for now has failed, and what was not answered is unknown", () => {
  expect(judge(BUSY, ROUTE, 3)).toMatchObject({ fate: { outcome: "failed" } });
  expect(judge(SILENT, ROUTE, 3)).toMatchObject({ fate: { outcome: "unknown" } });
});

test.each([
  [100, { kind: "again", afterMs: 500 }],
  [2_000, { kind: "again", afterMs: 2_000 }],
  [3_600_000, { kind: "again", afterMs: 3_600_000 }],
])("Retry-After of %i ms is kept, but no shorter than our own wait", (afterMs, next) => {
  expect(judge({ ...BUSY, afterMs } as Answer, ROUTE, 1)).toEqual(next);
});

test("who wants to be left alone for more than an hour is given up", () => {
  expect(judge({ ...BUSY, afterMs: 3_600_001 } as Answer, ROUTE, 1)).toMatchObject({
    fate: { outcome: "failed", why: "answered 503, and asks to wait for more than an hour" },
  });
});

test("what is silent goes by the channel's policy", () => {
  expect(judge(SILENT, { ...ROUTE, ambiguous: "reconcile" }, 3)).toEqual({ kind: "reconcile" });
  expect(judge(SILENT, { ...ROUTE, ambiguous: "fail" }, 1)).toMatchObject({
    fate: { outcome: "unknown" },
  });
});

test("what cannot be found out is unknown, and what is not there is sent again", () => {
  expect(judgeFound(SILENT, ROUTE, 1)).toMatchObject({ fate: { outcome: "unknown" } });
  expect(judgeFound(BUSY, ROUTE, 1)).toEqual({ kind: "again", afterMs: 500 });
  expect(judgeFound(BUSY, ROUTE, 3)).toMatchObject({ fate: { outcome: "failed" } });
});
