import { describe, expect, test } from "vitest";
import { parseServer } from "../src/client.ts";
import { treeLines } from "../src/commands/tree.ts";
import { formatDuration, parseDuration } from "../src/duration.ts";
import { nextCommand } from "../src/next-command.ts";
import { nodeProblem } from "../src/node-version.ts";
import { printable } from "../src/terminal.ts";

describe("a duration", () => {
  test.each([
    ["1ms", 1],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["36500d", 3_153_600_000_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "5", "0s", "1.5s", "-1s", "s", "1 s", "1S", "1w", "36500d1ms"])(
    "'%s' is none",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test.each([
    [0, "0ms"],
    [999, "999ms"],
    [1_000, "1s"],
    [1_999, "1.9s"],
    [59_999, "59.9s"],
    [60_000, "1m"],
    [200_000, "3m 20s"],
    [3_600_000, "1h"],
    [7_500_000, "2h 5m"],
    [90_000_000, "1d 1h"],
  ])("of %d ms is written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test.each([
  ["20.20.2", true],
  ["22.18.0", true],
  ["22.19.0", false],
  ["24.0.0", false],
])("Node %s is refused: %s", (version, refused) => {
  expect(nodeProblem(version) !== undefined).toBe(refused);
  if (refused) expect(nodeProblem(version)).toContain(version);
});

test.each([
  ["plain ü 🟢", "plain ü 🟢"],
  ["\u001b[31mred\u001b[0m", "red"],
  ["a\r\nb\tc\u0000", "a\\u000d\\u000ab\\u0009c\\u0000"],
  ["\u202egnp.exe", "\\u202egnp.exe"],
])("%j is printed as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

describe("a command to copy", () => {
  test.each([
    ["http://localhost:8001", undefined, "resonate tree a:0.1"],
    ["http://localhost:9", undefined, "resonate tree a:0.1 --server http://localhost:9"],
    ["http://localhost:9", "http://localhost:9", "resonate tree a:0.1"],
    ["http://localhost:8001", "http://x", "resonate tree a:0.1 --server http://localhost:8001"],
  ])("for %s, where %s would be found, is %s", (url, found, command) => {
    expect(nextCommand(["tree", "a:0.1"], { url, ...(found && { found }) })).toBe(command);
  });

  test.each([
    ["a b", "'a b'"],
    ["$(x)", "'$(x)'"],
    ["it's", "'it'\\''s'"],
    ["", "''"],
  ])("quotes %j", (word, quoted) => {
    const url = "http://localhost:8001";

    expect(nextCommand(["tree", word], { url })).toBe(`resonate tree ${quoted}`);
  });
});

const node = (id: string, over = {}) => ({
  id,
  state: "resolved" as const,
  kind: "run" as const,
  createdAt: 1_000,
  settledAt: 1_012,
  children: [],
  ...over,
});

describe("a tree", () => {
  test("is printed parent before child, with connectors, states, functions and times", () => {
    const tree = node("r", {
      kind: "root",
      func: "greet",
      state: "pending",
      settledAt: undefined,
      children: [
        node("r:0", { func: "compose", children: [node("r:0.0", { kind: "sleep" })] }),
        node("r:1", { kind: "rpc", func: "send", state: "rejected_timedout" }),
        node("other", { kind: "rpc", func: "send", state: "rejected", shared: true }),
      ],
    });

    expect(treeLines(tree, 3_500)).toEqual([
      "r 🟡 (greet) 2.5s",
      "├── r:0 🟢 (run compose) 12ms",
      "│   └── r:0.0 🟢 (sleep) 12ms",
      "├── r:1 🔴 (rpc send) 12ms timed out",
      "└── other 🔴 (rpc send) 12ms rejected (shared)",
    ]);
  });

  /** Each level has one node with children, and after it a leaf. */
  const deep = (levels: number) => {
    let tree = node("end");
    for (let level = 0; level < levels; level += 1) {
      tree = node("n", { children: [tree, node("leaf")] });
    }
    return tree;
  };

  test("is drawn up to level 39, and numbered from level 40 on", () => {
    const lines = treeLines(deep(41), 0);

    const indent = "│   ".repeat(39);
    expect(lines.slice(39, 45)).toEqual([
      `${"│   ".repeat(38)}├── n 🟢 (run) 12ms`,
      `${indent}[40] n 🟢 (run) 12ms`,
      `${indent}[41] end 🟢 (run) 12ms`,
      `${indent}[41] leaf 🟢 (run) 12ms`,
      `${indent}[40] leaf 🟢 (run) 12ms`,
      `${"│   ".repeat(38)}└── leaf 🟢 (run) 12ms`,
    ]);
  });

  test("of 20,000 levels is printed, in lines that do not grow with them", () => {
    const lines = treeLines(deep(20_000), 0);

    expect(lines).toHaveLength(40_001);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(200);
  });
});

describe("the address of a server", () => {
  test.each(["http://user:secret@localhost:8001", "http://secret@host", "user:secret@host"])(
    "with a user or a password in it is refused, and not repeated: %s",
    (url) => {
      expect(() => parseServer(url)).toThrow(/^(?!.*secret).*--server/s);
    },
  );

  test("is taken as it is", () => {
    expect(parseServer("https://example.org/resonate")).toBe("https://example.org/resonate");
  });
});
