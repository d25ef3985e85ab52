import type { ExecutionNode, PromiseState } from "@resonate-ts/protocol";
import { describe, expect, test } from "vitest";
import { RunNodes } from "../src/run-nodes.ts";
import { RunPicture } from "../src/run-picture.ts";

const NOW = 61_000;

function node(id: string, over: Partial<ExecutionNode> = {}): ExecutionNode {
  const state: PromiseState = over.state ?? "resolved";
  return {
    id,
    kind: "rpc",
    func: "work",
    state,
    createdAt: 1_000,
    ...(state !== "pending" && { settledAt: 1_012 }),
    timeoutAt: 9e15,
    paramBytes: 0,
    valueBytes: 0,
    ...over,
  };
}

const root = node("r", { kind: "root", func: "crawl", state: "pending" });

function runOf(...nodes: readonly ExecutionNode[]): RunNodes {
  const run = new RunNodes("r");
  run.take({ kind: "run", run: { root: "r", at: NOW, nodes: [root, ...nodes], edges: [] } }, NOW);
  return run;
}

function drawn(run: RunNodes, rowsMax: number): readonly string[] {
  const lines = new RunPicture(run).lines(rowsMax, NOW);
  return lines.map((line) => line.map(({ text }) => text).join(""));
}

const many = (count: number, over: (at: number) => Partial<ExecutionNode> = () => ({})) =>
  Array.from({ length: count }, (_, at) => node(`r:${at}`, { parent: "r", ...over(at) }));

describe("the picture of a run", () => {
  test("has a line for each promise, with its worker, and what is shared", () => {
    const task = { state: "acquired", version: 1, pid: "ann" } as const;
    const run = runOf(
      node("r:0", { parent: "r", state: "pending", task }),
      node("r:0:0", { parent: "r:0", kind: "run", func: "read" }),
      node("f-7", { parent: "r", state: "rejected", shared: true }),
    );

    expect(drawn(run, 20)).toEqual([
      "r 🟡 (crawl) 1m",
      "├── r:0 🟡 (rpc work) 1m @ann",
      "│   └── r:0:0 🟢 (run read) 12ms @ann",
      "└── f-7 🔴 (rpc work) 12ms rejected (shared)",
      "4 in all: 1 done, 2 pending, 1 failed",
    ]);
  });

  test("remembers who held a task that is given back", () => {
    const held = { state: "acquired", version: 1, pid: "ann" } as const;
    const run = runOf(node("r:0", { parent: "r", state: "pending", task: held }));

    const over = node("r:0", { parent: "r", task: { state: "fulfilled", version: 1 } });
    run.take({ kind: "changes", nodes: [over] }, NOW);

    expect(drawn(run, 20)[1]).toBe("└── r:0 🟢 (rpc work) 12ms @ann");
  });

  test("sums up like siblings, and shows what failed and what goes on first", () => {
    const states: Record<number, PromiseState> = { 5000: "rejected", 9000: "pending" };
    const run = runOf(...many(10_000, (at) => ({ state: states[at] ?? "resolved" })));

    expect(drawn(run, 7)).toEqual([
      "r 🟡 (crawl) 1m",
      "├── r:0 🟢 (rpc work) 12ms",
      "├── r:1 🟢 (rpc work) 12ms",
      "├── r:5000 🔴 (rpc work) 12ms rejected",
      "├── r:9000 🟡 (rpc work) 1m",
      "└── … 9,996 more (rpc work): 9,996 done",
      "10,001 in all: 9,998 done, 2 pending, 1 failed",
    ]);
  });

  test("sums up by function, and in one line where there are too many of them", () => {
    const two = runOf(...many(100, (at) => ({ func: at % 2 === 0 ? "even" : "odd" })));
    const ten = runOf(...many(100, (at) => ({ func: `f${at % 10}` })));

    expect(drawn(two, 6).slice(-3, -1)).toEqual([
      "├── … 49 more (rpc even): 49 done",
      "└── … 49 more (rpc odd): 49 done",
    ]);
    expect(drawn(ten, 6).at(-2)).toBe("└── … 98 more: 98 done");
  });

  test("of a deep run shows its beginning and its end", () => {
    const levels = Array.from({ length: 100 }, (_, at) =>
      node(`n${at}`, { parent: at === 0 ? "r" : `n${at - 1}` }),
    );

    const lines = drawn(runOf(...levels), 8);

    expect(lines).toHaveLength(8);
    expect(lines[0]).toContain("r 🟡");
    expect(lines[3]).toBe("… 95 lines more");
    expect(lines[6]).toContain("n99 ");
  });

  test.each([1, 2, 3, 5])("never has more than %d lines", (rows) => {
    expect(drawn(runOf(...many(50)), rows).length).toBeLessThanOrEqual(rows);
  });

  test("of ids that call each other in a circle ends", () => {
    const run = new RunNodes("a");
    const nodes = [node("a", { parent: "b" }), node("b", { parent: "a" })];
    run.take({ kind: "run", run: { root: "a", at: NOW, nodes, edges: [] } }, NOW);

    expect(drawn(run, 9)).toHaveLength(3);
  });

  test("is of the promise that was asked for and what is below, whenever its parent is seen", () => {
    const run = runOf(node("r:0", { parent: "r" }));
    const below = [node("r:1:0", { parent: "r:1" }), node("r:1", { parent: "r" })];

    const about = run.take({ kind: "changes", nodes: [...below, node("else")] }, NOW);

    expect(about.map(({ id }) => id)).toEqual(["r:1:0", "r:1"]);
    expect(drawn(run, 9).at(-1)).toContain("4 in all");
  });
});
