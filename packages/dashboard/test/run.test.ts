import { expect, test } from "vitest";
import { pendingBelow } from "../src/model/cancel-tree.ts";
import { newerNode } from "../src/model/newer-node.ts";
import { ancestorsOf, runOf, withNodes, workersOf } from "../src/model/run.ts";
import { call, done, NOW, node, root, run } from "./made.ts";

test("what has ended stays ended, whatever comes later by another way", () => {
  const ended = done(call("r:0", "r"));

  expect(newerNode(ended, call("r:0", "r", { state: "acquired", version: 9 }))).toBe(ended);
});

test("a later claim wins over an earlier one, and within one claim what comes after it", () => {
  const held = call("r:0", "r", { state: "acquired", version: 2, pid: "a" });
  const parked = call("r:0", "r", { state: "suspended", version: 2 });
  const offered = call("r:0", "r", { state: "pending", version: 2 });
  const next = call("r:0", "r", { state: "acquired", version: 3 });

  expect(newerNode(held, call("r:0", "r", { state: "acquired", version: 1 }))).toBe(held);
  expect(newerNode(held, parked).task?.state).toBe("suspended");
  expect(newerNode(parked, held)).toBe(parked);
  expect(newerNode(parked, offered).task?.state).toBe("pending");
  expect(newerNode(offered, next).task?.version).toBe(3);
});

test("a halted task that is retried is queued, and a queued one that is halted is halted", () => {
  const halted = call("r:0", "r", { state: "halted", version: 5 });
  const queued = call("r:0", "r", { state: "pending", version: 5 });

  expect(newerNode(halted, queued).task?.state).toBe("pending");
  expect(newerNode(queued, halted).task?.state).toBe("halted");
});

test("who worked on it last is remembered when the task names nobody any more", () => {
  const held = call("r:0", "r", { state: "acquired", version: 1, pid: "ada" });
  const moved = call("r:0", "r", { state: "acquired", version: 2, pid: "bob" });

  const ended = newerNode(held, done(call("r:0", "r", { state: "fulfilled", version: 1 })));

  expect(ended.task?.pid).toBe("ada");
  expect(newerNode(held, moved).task?.pid).toBe("bob");
});

test("a step is worked on by whoever holds the call above it, a timer by nobody", () => {
  const held = call("r:0", "r", { state: "acquired", version: 1, pid: "ada" });
  const below = [
    node("r:0.0", { parent: "r:0" }),
    call("r:0.1", "r:0"),
    node("r:0.2", { parent: "r:0", kind: "sleep" }),
  ];

  expect([...workersOf(run(root("r"), held, ...below))]).toEqual([
    ["r:0", "ada"],
    ["r:0.0", "ada"],
  ]);
});

test("a child that is told of before its parent has its place below it", () => {
  const after = withNodes(run(root("r")), [node("r:0.0", { parent: "r:0" }), call("r:0", "r")]);

  expect([...after.nodes.keys()]).toEqual(["r", "r:0", "r:0.0"]);
  expect(after.children.get("r:0")?.map(({ id }) => id)).toEqual(["r:0.0"]);
  expect(ancestorsOf(after, "r:0.0")).toEqual(["r:0", "r"]);
});

test("parents in a circle do not hang the page", () => {
  const circle = run(root("r"), node("a", { parent: "b" }), node("b", { parent: "a" }));

  expect(ancestorsOf(withNodes(circle, [node("c", { parent: "a" })]), "c")).toEqual(["a", "b"]);
});

test("a promise whose parent is not known hangs below the root", () => {
  const lost = run(root("r"), node("x", { parent: "gone" }));

  expect(lost.children.get("r")?.map(({ id }) => id)).toEqual(["x"]);
});

test("reading a run again keeps what was seen of it since", () => {
  const ended = done(call("r:0", "r"));
  const before = run(root("r"), ended);
  const nodes = [root("r"), call("r:0", "r")];

  expect(runOf({ root: "r", at: NOW, nodes, edges: [] }, before).nodes.get("r:0")).toBe(ended);
});

test("with a promise what is pending below it is canceled, but nothing shared or detached", () => {
  const tree = run(
    root("r"),
    call("r:0", "r"),
    done(call("r:0.0", "r:0")),
    node("r:0.0.0", { parent: "r:0.0" }),
    { ...call("other", "r:0"), shared: true },
    node("other:0", { parent: "other" }),
    call("r:d00000000000000", "r:0"),
    call("r:1", "r"),
  );

  expect(pendingBelow(tree, "r:0")).toEqual(["r:0.0.0"]);
  expect(pendingBelow(tree, "r")).toEqual(["r:0", "r:1", "r:0.0.0"]);
});
