import fc from "fast-check";
import { expect, test } from "vitest";
import {
  cellAt,
  cellUnder,
  chainGrid,
  gridHeight,
  gridWidth,
  siblingGrid,
} from "../src/model/cell-grid.ts";
import { displayTree } from "../src/model/display-tree.ts";
import { type Box, layoutOf } from "../src/model/layout.ts";
import { fitted, revealing, SCALE_MAX, zoomedAt } from "../src/model/view-box.ts";
import { call, fan, root, run } from "./made.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

test(`no two boxes of any tree overlap, and each is right of the one above (SEED=${seed})`, () => {
  const trees = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 5 })), { maxLength: 150 });
  fc.assert(
    fc.property(trees, (given) => {
      const nodes = [root("n0")];
      for (const [parent, func] of given) {
        const id = `n${nodes.length}`;
        nodes.push({ ...call(id, `n${parent % nodes.length}`), func: `f${func}` });
      }
      const { boxes } = layoutOf(displayTree(run(...nodes)));
      const all = [...boxes.values()];
      return all.every((box, at) => {
        const above = boxes.get(box.above ?? "");
        const right = !above || above.x + above.width < box.x;
        return right && !all.slice(at + 1).some((other) => overlap(box, other));
      });
    }),
    { seed },
  );
});

function overlap(a: Box, b: Box): boolean {
  const across = a.x < b.x + b.width && b.x < a.x + a.width;
  return across && a.y < b.y + b.height && b.y < a.y + a.height;
}

test("everything lies within the size of the layout", () => {
  const { boxes, width, height } = layoutOf(displayTree(fan(1_000)));

  for (const box of boxes.values()) {
    expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y + box.height).toBeLessThanOrEqual(height);
  }
});

test.each([1, 7, 60, 61, 250, 1_000, 1_500, 10_000, 20_000])(
  "of %i cells each is found where it is drawn, and none beyond the last",
  (count) => {
    for (const grid of [siblingGrid(count), chainGrid(count)]) {
      for (let index = 0; index < count; index += Math.ceil(count / 500)) {
        const { x, y } = cellAt(grid, index);
        expect(cellUnder(grid, count, { x: x + 1, y: y + 1 })).toBe(index);
        expect(x).toBeLessThan(gridWidth(grid));
        expect(y).toBeLessThan(gridHeight(grid));
      }
      expect(cellUnder(grid, count, { x: 1, y: gridHeight(grid) + grid.gap + 1 })).toBeUndefined();
    }
  },
);

test("a box of 20,000 cells still fits on a large screen", () => {
  const grid = siblingGrid(20_000);

  expect(gridWidth(grid)).toBeLessThan(1_400);
  expect(gridHeight(grid)).toBeLessThan(800);
});

test("neighbours in a chain are neighbours in its box", () => {
  const grid = chainGrid(100);

  for (let index = 1; index < 100; index++) {
    const a = cellAt(grid, index - 1);
    const b = cellAt(grid, index);
    expect(Math.abs(a.x - b.x) + Math.abs(a.y - b.y)).toBe(grid.pitch);
  }
});

test("zooming keeps what is under the pointer there", () => {
  const view = { x: 10, y: 20, scale: 1 };
  const point = { x: 110, y: 220 };

  expect(zoomedAt(view, 2, point)).toEqual({ x: -90, y: -180, scale: 2 });
  expect(zoomedAt(view, 100, point).scale).toBe(SCALE_MAX);
});

test("a picture is fitted into the middle of the screen", () => {
  const view = fitted({ width: 2_000, height: 100 }, { width: 1_064, height: 564 });

  expect(view).toEqual({ x: 32, y: 257, scale: 0.5 });
});

test("what is in sight does not move the picture, and what is not comes to the edge", () => {
  const view = { x: 0, y: 0, scale: 1 };
  const screen = { width: 1_000, height: 600 };
  const inside = { x: 100, y: 100, width: 200, height: 50 };
  const outside = { x: 900, y: -50, width: 200, height: 50 };

  expect(revealing(view, inside, screen)).toEqual(view);
  expect(revealing(view, outside, screen)).toEqual({ x: -132, y: 82, scale: 1 });
});
