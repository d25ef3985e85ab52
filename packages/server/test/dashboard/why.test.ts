import { type Reason, TAG, type Why } from "@resonate-ts/protocol";
import { describe, expect, test } from "vitest";
import { explain, type WhyFacts } from "../../src/dashboard/why.ts";
import type { Outline } from "../../src/stores/insight.ts";
import { call, NOW, outline, worker } from "./cases.ts";

interface Given {
  readonly all: readonly Outline[];
  /** What each awaits. */
  readonly awaits?: Readonly<Record<string, readonly string[]>>;
  readonly present?: WhyFacts["present"];
  readonly held?: Readonly<Record<string, number>>;
}

/** Why the first of them does not move. */
function why({ all, awaits = {}, present = [], held = {} }: Given): Why {
  const [first] = all;
  const told = explain({
    id: first?.id ?? "",
    at: NOW,
    cases: new Map(all.map((one) => [one.id, { outline: one, awaits: awaits[one.id] ?? [] }])),
    present,
    held: new Map(Object.entries(held)),
  });
  if (!told) throw new Error("nothing is told");
  return told;
}

const codes = ({ verdict, reasons }: Why) => [verdict, ...reasons.map(({ code }) => code)];

test("of what is not there nothing is told", () => {
  expect(
    explain({ id: "a", at: NOW, cases: new Map(), present: [], held: new Map() }),
  ).toBeUndefined();
});

describe("a promise", () => {
  test.each<[string, Partial<Outline>]>([
    ["that settled", { state: "rejected", settledAt: NOW - 5 }],
    ["whose deadline is this very millisecond", { timeoutAt: NOW }],
  ])("%s is settled", (_, over) => {
    expect(codes(why({ all: [outline("a", over)] }))).toEqual(["settled", "settled"]);
  });

  test("that nobody runs waits for somebody outside, until its deadline", () => {
    const told = why({ all: [outline("a")] });

    expect(codes(told)).toEqual(["waiting", "external"]);
    expect(told.reasons[0]).toMatchObject({ ids: ["a"], until: NOW + 60_000 });
    expect(told.reasons[0]?.text).toContain("resonate promises resolve 'a'");
  });

  test("that is a timer sleeps until then", () => {
    const told = why({
      all: [outline("a", { tags: { [TAG.timer]: "true" }, timeoutAt: NOW + 7 })],
    });

    expect(codes(told)).toEqual(["waiting", "sleeps"]);
    expect(told.reasons[0]?.until).toBe(NOW + 7);
  });
});

describe("a task that waits for a worker", () => {
  const one = (present: WhyFacts["present"], over = {}, held = {}) =>
    why({ all: [call("a", over)], present, held });

  test("has none in its group", () => {
    const told = one([worker("w", { group: "elsewhere" })]);

    expect(codes(told)).toEqual(["stuck", "no-worker"]);
    expect(told.reasons[0]?.text).toBe("No worker is connected in group 'g'. Start one.");
  });

  test("is asked about a group that is nearly called so", () => {
    const told = one([worker("w", { group: "emails" }), worker("v", { group: "images" })], {
      target: "poll://any@email",
    });

    expect(told.reasons[0]?.text).toBe(
      "No worker is connected in group 'email'. Did you mean 'emails'?",
    );
  });

  test("for one process has none, whoever else is in the group", () => {
    const told = one([worker("w")], { target: "poll://uni@g/p" });

    expect(codes(told)).toEqual(["stuck", "no-worker"]);
    expect(told.reasons[0]?.text).toContain("as 'p' in group 'g'");
  });

  test("is for an address to which nothing is brought", () => {
    expect(codes(one([], { target: "gcps://project/topic" }))).toEqual(["stuck", "no-worker"]);
  });

  test("calls a function that no worker has", () => {
    const told = one([worker("w", { has: { sendMail: [1] } })], { func: "sendMial" });

    expect(codes(told)).toEqual(["stuck", "no-such-function"]);
    expect(told.reasons[0]?.text).toContain("Did you mean 'sendMail'?");
  });

  test("wants a version that no worker has", () => {
    const told = one([worker("w", { has: { f: [2, 10] } })], { version: 0 });
    const third = why({
      all: [outline("a", { ...call("a"), paramHead: call("a", { func: "f" }).paramHead ?? "" })],
      present: [worker("w", { has: { f: [10, 2] } })],
    });

    expect(codes(told)).toEqual(["stuck", "no-such-version"]);
    expect(third.reasons[0]?.text).toBe(
      "'a' is for version 1 of 'f'; workers of group 'g' have 2, 10.",
    );
  });

  test("may be taken by a worker that announced nothing", () => {
    expect(codes(one([worker("w", { has: {} }), worker("v")]))).toEqual(["waiting", "offered"]);
  });

  test("finds all workers busy", () => {
    const present = [worker("w", { slots: 1 }), worker("v", { slots: 2 })];

    expect(codes(one(present, {}, { w: 1, v: 2 }))).toEqual(["waiting", "workers-busy"]);
    expect(codes(one(present, {}, { w: 1, v: 1 }))).toEqual(["waiting", "offered"]);
  });

  test("is offered, and again at some instant", () => {
    const told = one([worker("w", { has: { f: [1] }, slots: 1 })], { dueAt: NOW + 30 });

    expect(codes(told)).toEqual(["waiting", "offered"]);
    expect(told.reasons[0]?.until).toBe(NOW + 30);
  });

  test("is sent to a URL", () => {
    expect(codes(one([], { target: "https://example.com/x" }))).toEqual(["waiting", "offered"]);
  });

  test("is not to start yet", () => {
    const tags = { [TAG.delay]: String(NOW + 9) };
    const told = one([], { tags });

    expect(codes(told)).toEqual(["waiting", "delayed"]);
    expect(told.reasons[0]?.until).toBe(NOW + 9);
  });

  test("pauses after its workers were lost, and says so", () => {
    const told = one([worker("w")], { failures: 3, cause: "out of memory", dueAt: NOW + 50 });

    expect(codes(told)).toEqual(["waiting", "delayed", "failed-before"]);
    expect(told.reasons[0]?.until).toBe(NOW + 50);
    expect(told.reasons[1]?.text).toContain("out of memory");
  });
});

describe("a task that is claimed", () => {
  const claimed = { state: "acquired", pid: "w", ttl: 10, dueAt: NOW + 10 } as const;

  test("is run by a worker that is there", () => {
    const told = why({ all: [call("a", claimed)], present: [worker("w")] });

    expect(codes(told)).toEqual(["running", "running"]);
    expect(told.reasons[0]?.until).toBe(NOW + 10);
  });

  test("is held by one that is not, until its lease ends", () => {
    const told = why({ all: [call("a", { ...claimed, failures: 1 })], present: [worker("v")] });

    expect(codes(told)).toEqual(["waiting", "lease", "failed-before"]);
    expect(told.reasons[0]?.until).toBe(NOW + 10);
  });

  test("tells of the steps that run in its process", () => {
    const tags = { [TAG.scope]: "local", [TAG.branch]: "a", [TAG.origin]: "a" };
    const told = why({
      all: [outline("a:0", { tags }), call("a", claimed)],
      present: [worker("w")],
    });

    expect(codes(told)).toEqual(["running", "running", "awaits"]);
    expect(told.reasons[1]).toMatchObject({ ids: ["a"] });
  });
});

test("a task that was halted needs somebody, and says why it was", () => {
  const told = why({ all: [call("a", { state: "halted", cause: "it broke" })] });

  expect(codes(told)).toEqual(["stuck", "halted"]);
  expect(told.reasons[0]?.text).toMatch(/resonate retry 'a'.*it broke/);
});

describe("a task that is suspended", () => {
  const suspended = { state: "suspended" } as const;

  test("waits for what is at the end of the chain, which is told of first", () => {
    const told = why({
      all: [call("a", suspended), call("b", suspended), call("c", { target: "poll://any@nobody" })],
      awaits: { a: ["b"], b: ["c"] },
    });

    expect(codes(told)).toEqual(["stuck", "no-worker", "awaits"]);
    const [first, second] = told.reasons as [Reason, Reason];
    expect(first).toMatchObject({ ids: ["c"] });
    expect(second.ids).toEqual(["c", "b"]);
    expect(second.text).toBe("It waits for 'b', and that in the end for 'c'.");
  });

  test("is stuck when one of many is, whatever the others do", () => {
    const told = why({
      all: [
        call("a", suspended),
        call("b", { state: "acquired", pid: "w" }),
        call("c", { state: "halted" }),
      ],
      awaits: { a: ["b", "c"] },
      present: [worker("w")],
    });

    expect(codes(told)).toEqual(["stuck", "halted", "running", "awaits"]);
  });

  test("is running when what it waits for is", () => {
    const told = why({
      all: [call("a", suspended), call("b", { state: "acquired", pid: "w" })],
      awaits: { a: ["b"] },
      present: [worker("w")],
    });

    expect(codes(told)).toEqual(["running", "running", "awaits"]);
    expect(told.reasons[1]?.text).toBe("It waits for 'b'.");
  });

  test("that nothing holds up any more is about to be offered", () => {
    expect(codes(why({ all: [call("a", suspended)] }))).toEqual(["waiting", "offered"]);
  });

  test("in a circle is stuck, and the circle is no endless one here", () => {
    const told = why({
      all: [call("a", suspended), call("b", suspended)],
      awaits: { a: ["b"], b: ["a"] },
    });

    expect(codes(told)).toEqual(["stuck", "awaits"]);
    expect(told.reasons[0]?.text).toContain("for each other");
  });

  test("for a thousand tells of ten of them, and names a hundred", () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `a:${at}`);
    const told = why({
      all: [call("a", suspended), ...ids.map((id) => call(id))],
      awaits: { a: ids },
    });

    expect(told.reasons).toHaveLength(11);
    expect(told.reasons.at(-1)?.ids).toHaveLength(100);
    expect(told.reasons.at(-1)?.text).toBe("It waits for 'a:0' and 999 more.");
  });
});
