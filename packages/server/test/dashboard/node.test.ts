import { TAG } from "@resonate-ts/protocol";
import { describe, expect, test } from "vitest";
import { nodeOf } from "../../src/dashboard/node.ts";
import { task } from "../support/every-store.ts";
import { call, NOW, outline, paramHead } from "./cases.ts";

const shown = (...given: Parameters<typeof outline>) => nodeOf(outline(...given), NOW);

test.each([
  ["root", { [TAG.origin]: "a", [TAG.parent]: "a", [TAG.target]: "poll://any@g" }],
  ["root", {}],
  ["rpc", { [TAG.origin]: "r", [TAG.parent]: "r", [TAG.target]: "poll://any@g" }],
  ["rpc", { [TAG.origin]: "a", [TAG.caller]: "r", [TAG.target]: "poll://any@g" }],
  ["run", { [TAG.origin]: "r", [TAG.parent]: "r", [TAG.scope]: "local" }],
  ["sleep", { [TAG.origin]: "r", [TAG.timer]: "true", [TAG.target]: "poll://any@g" }],
  ["promise", { [TAG.origin]: "r", [TAG.parent]: "r", [TAG.scope]: "global" }],
])("a %s is known by its tags %j", (kind, tags) => {
  expect(shown("a", { tags }).kind).toBe(kind);
});

test("its parent is who called it, else the parent of its id, else its root", () => {
  const [caller, parent, origin] = [
    { [TAG.caller]: "c" },
    { [TAG.parent]: "p" },
    { [TAG.origin]: "o" },
  ];

  expect(shown("a", { tags: { ...caller, ...parent, ...origin } }).parent).toBe("c");
  expect(shown("a", { tags: { ...parent, ...origin } }).parent).toBe("p");
  expect(shown("a", { tags: { [TAG.parent]: "a", ...origin } }).parent).toBe("o");
  expect(shown("a", {})).not.toHaveProperty("parent");
});

test("it is shared when a call chose its id, and not when the id shows its root", () => {
  const tags = { [TAG.caller]: "r:0", [TAG.origin]: "a" };

  expect(shown("a", { tags }).shared).toBe(true);
  expect(shown("r:h1", { tags: { ...tags, [TAG.origin]: "r" } }).shared).toBeUndefined();
});

describe("past its deadline", () => {
  test("it is settled, and its task fulfilled, whatever is stored", () => {
    const held = task("a", { state: "acquired", pid: "p", version: 4 });
    const node = shown("a", { timeoutAt: NOW, task: held });

    expect(node).toMatchObject({ state: "rejected_timedout", settledAt: NOW });
    expect(node.task).toEqual({ state: "fulfilled", version: 4 });
  });

  test("a timer is resolved", () => {
    expect(shown("a", { timeoutAt: NOW, tags: { [TAG.timer]: "true" } }).state).toBe("resolved");
  });
});

describe("the function", () => {
  test.each([
    ["is read with its version", { func: "f", args: [1], version: 3 }, { func: "f", version: 3 }],
    [
      "is read in any language",
      { func: 'größe "x"', version: 1 },
      { func: 'größe "x"', version: 1 },
    ],
    [
      "is read without the version when that is out of sight",
      { func: "f", args: ["x".repeat(3_000)], version: 3 },
      { func: "f" },
    ],
    ["is not read where it has no name", { func: "", version: 1 }, {}],
    ["is not read from what is no call", { args: [], func: "f" }, {}],
    ["is not read from what is no text", { func: 5 }, {}],
  ])("%s", (_, param, expected) => {
    const { func, version } = shown("a", { paramHead: paramHead(param).slice(0, 2_048) });

    expect({ ...(func && { func }), ...(version && { version }) }).toEqual(expected);
  });

  test.each(["", "{}", '{"data":5}', '{"data":"***"}', '{"data":"////"}', '{"data":'])(
    "is not read from %s",
    (head) => {
      expect(shown("a", { paramHead: head })).not.toHaveProperty("func");
    },
  );
});

test("of a task there is no more than is needed", () => {
  const node = nodeOf(
    call("a", { state: "acquired", pid: "p", ttl: 9, failures: 2, cause: "no" }),
    NOW,
  );

  expect(node.task).toEqual({ state: "acquired", version: 0, pid: "p", failures: 2 });
});

test("nothing has no size", () => {
  expect(shown("a", { paramBytes: 2, valueBytes: 12 })).toMatchObject({
    paramBytes: 0,
    valueBytes: 12,
  });
});
