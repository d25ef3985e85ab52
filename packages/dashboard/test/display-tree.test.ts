import { expect, test } from "vitest";
import {
  BOXES_MAX,
  boxesOf,
  type Display,
  displaysOf,
  displayTree,
  membersOf,
} from "../src/model/display-tree.ts";
import { call, chain, fan, node, root, run } from "./made.ts";

function shapes(top: Display): string[] {
  return displaysOf(top).map((display) =>
    display.kind === "single" ? display.node.id : `${display.kind} ${display.members.length}`,
  );
}

test("eleven like siblings are boxes of their own, twelve are one", () => {
  expect(shapes(displayTree(fan(11)))).toHaveLength(12);
  expect(shapes(displayTree(fan(12)))).toEqual(["r", "siblings 12"]);
});

test("siblings that run different functions are not drawn together", () => {
  const others = Array.from({ length: 12 }, (_, n) =>
    node(`r:o${n}`, { parent: "r", func: "other" }),
  );
  const sleep = node("r:s", { parent: "r", kind: "sleep" });

  expect(shapes(displayTree(run(...fan(12).nodes.values(), ...others, sleep)))).toEqual([
    "r",
    "siblings 12",
    "siblings 12",
    "r:s",
  ]);
});

test("one that is opened is drawn apart, with what is below it", () => {
  const wide = run(...fan(20).nodes.values(), node("r:7.0", { parent: "r:7" }));

  const closed = displayTree(wide);
  const open = displayTree(wide, new Set(["r:7"]));

  expect(shapes(closed)).toEqual(["r", "siblings 20"]);
  expect(displaysOf(closed)[1]?.folded).toBe(1);
  expect(shapes(open)).toEqual(["r", "siblings 19", "r:7", "r:7.0"]);
});

test("eight like calls in a row are a chain, seven are not", () => {
  expect(shapes(displayTree(chain(7)))).toHaveLength(7);
  expect(shapes(displayTree(chain(8)))).toEqual(["chain 8"]);
});

test("steps beside the next call do not break a chain, but calls with calls of their own do", () => {
  const aside = [
    node("x", { parent: "c3", func: "aside" }),
    node("x:0", { parent: "x", func: "aside" }),
  ];

  expect(shapes(displayTree(chain(8, 4)))).toEqual(["chain 8", "c7s0", "c7s1", "c7s2", "c7s3"]);
  expect(shapes(displayTree(run(...chain(8).nodes.values(), ...aside)))).toHaveLength(10);
});

test("a chain that is opened is boxes", () => {
  expect(shapes(displayTree(chain(40), new Set(["chain:c0"])))).toHaveLength(40);
});

test("what a chain leaves out is counted", () => {
  expect(displayTree(chain(10, 2))).toMatchObject({ kind: "chain", folded: 18 });
});

test("a recursion of 20,000 and a fan-out of 20,000 are one box", () => {
  expect(shapes(displayTree(chain(20_000)))).toEqual(["chain 20000"]);
  expect(shapes(displayTree(fan(20_000)))).toEqual(["r", "siblings 20000"]);
});

const halved = (n: number) => Math.floor((n - 1) / 2);

test.each([
  ["ten children each", (n: number) => Math.floor((n - 1) / 10), () => "work"],
  ["two each", halved, () => "work"],
  ["two each, of functions of their own", halved, (n: number) => `f${n}`],
  ["one each, of functions of their own", (n: number) => n - 1, (n: number) => `f${n}`],
  ["a comb", (n: number) => (n % 2 === 1 ? n - 1 : n - 2), (n: number) => `f${n}`],
  ["a forked comb", (n: number) => Math.max(0, n - 2), (n: number) => `f${n}`],
])("a run of 10,000 with %s is a picture of bounded size", (_, parent, func) => {
  const nodes = [root("n0")];
  for (let n = 1; n < 10_000; n++) {
    nodes.push({ ...call(`n${n}`, `n${parent(n)}`), func: func(n) });
  }

  const displays = displaysOf(displayTree(run(...nodes)));

  expect(displays.length).toBeLessThanOrEqual(2 * BOXES_MAX);
  const drawn = displays.flatMap(membersOf).length;
  const folded = displays.reduce((sum, display) => sum + display.folded, 0);
  expect(drawn + folded).toBe(10_000);
});

test("every promise that is drawn has the box it is drawn in", () => {
  const boxes = boxesOf(displayTree(fan(30)));

  expect(boxes.get("r")).toBe("one:r");
  expect(boxes.get("r:29")).toBe(boxes.get("r:0"));
});
