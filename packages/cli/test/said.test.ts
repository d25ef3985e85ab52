/** What `why` and `workers` say of what a server tells. */
import type { Why, WorkerGroup } from "@resonate-ts/protocol";
import { describe, expect, test } from "vitest";
import { whyLines } from "../src/commands/why.ts";
import { groupLines } from "../src/commands/workers.ts";

const AT = Date.parse("2026-01-02T03:04:05.000Z");

describe("why", () => {
  test("is said in sentences, with times from now on and ids that no sentence names", () => {
    const ids = ["a", "b", ...Array.from({ length: 12 }, (_, at) => `c${at}`)];
    const why: Why = {
      id: "a",
      at: AT,
      verdict: "waiting",
      reasons: [
        { code: "lease", text: "'b' is held by 'w'.", ids: ["b"], until: AT + 61_000 },
        { code: "awaits", text: "It waits for 'b' and 12 more.", ids },
      ],
    };

    expect(whyLines(why)).toEqual([
      "a is waiting:",
      "  'b' is held by 'w'. Its lease ends: in 1m 1s.",
      "  It waits for 'b' and 12 more.",
      ...Array.from({ length: 10 }, (_, at) => `    c${at}`),
      "    … and 2 more",
    ]);
  });

  test("of what has ended says how long ago", () => {
    const text = "'a' is resolved, since 2026-01-02T03:04:02.500Z.";
    const why: Why = { id: "a", at: AT, verdict: "settled", reasons: [{ code: "settled", text }] };

    expect(whyLines(why)).toEqual(["a has ended.", "  'a' is resolved, 2.5s ago."]);
  });
});

describe("workers", () => {
  test("are said by group, with what waits, what they hold and what they run", () => {
    const groups: readonly WorkerGroup[] = [
      {
        group: "default",
        pending: { count: 10_000, more: true },
        oldestPendingAt: AT - 3_600_000,
        workers: [
          {
            id: "w1",
            connectedAt: AT - 2_000,
            slots: 8,
            holds: 3,
            functions: [
              { name: "f", versions: [1, 2] },
              { name: "g", versions: [1] },
            ],
          },
          { id: "w2", holds: 0 },
          { id: "w3", connectedAt: AT + 5, holds: 0, functions: [] },
        ],
      },
      { group: "mail", pending: { count: 1 }, workers: [] },
      { group: "quiet", pending: { count: 0 }, workers: [{ id: "w4", connectedAt: AT, holds: 1 }] },
    ];

    expect(groupLines(groups, AT)).toEqual([
      "default: 3 workers, 10000 or more tasks wait, for up to 1h",
      "  w1  holds 3 of 8, connected for 2s, runs f v1 v2, g v1",
      "  w2  holds 0, at another server, functions not announced",
      "  w3  holds 0, connected for 0ms, runs nothing",
      "mail: no worker, 1 task waits",
      "quiet: 1 worker, nothing waits",
      "  w4  holds 1, connected for 0ms, functions not announced",
    ]);
  });

  test("that are none are said to be none", () => {
    expect(groupLines([], AT)).toEqual(["No worker is connected, and nothing waits for one."]);
  });
});
