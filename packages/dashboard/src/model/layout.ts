/** Where the boxes are: from left to right, each below nothing else, parents in the middle of what they started. */
import { type HierarchyNode, hierarchy, tree } from "d3-hierarchy";
import { type CellGrid, chainGrid, gridHeight, gridWidth, siblingGrid } from "./cell-grid.ts";
import type { Display } from "./display-tree.ts";

export interface Box {
  readonly display: Display;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly grid?: CellGrid;
  /** The key of the box it hangs on. */
  readonly above?: string;
}

export interface Layout {
  /** By key, each after the one above it. */
  readonly boxes: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
}

export const SINGLE_WIDTH = 216;
const SINGLE_HEIGHT = 50;
export const CELLS_PADDING = 12;
export const CELLS_HEADER = 46;
/** No box of cells is narrower, so that its title fits. */
const CELLS_WIDTH_MIN = 232;
const COLUMN_GAP = 64;
const ROW_GAP = 14;

interface Size {
  readonly width: number;
  readonly height: number;
  readonly grid?: CellGrid;
}

export function layoutOf(top: Display): Layout {
  const root = hierarchy<Display>(top, ({ children }) => [...children]);
  const sizes = new Map(root.descendants().map(({ data }) => [data, sizeOf(data)]));
  const size = (display: Display): Size => sizes.get(display) ?? sizeOf(display);
  // The library lays out points from top to bottom; here breadth goes down, and depth to the right.
  tree<Display>()
    .nodeSize([1, 1])
    .separation((a, b) => (size(a.data).height + size(b.data).height) / 2 + ROW_GAP)(root);
  return placed(root, size);
}

function placed(root: HierarchyNode<Display>, size: (display: Display) => Size): Layout {
  const columns = columnsOf(root, size);
  const all = root.descendants();
  const topOf = (node: HierarchyNode<Display>) => (node.x ?? 0) - size(node.data).height / 2;
  const top = all.reduce((least, node) => Math.min(least, topOf(node)), Number.POSITIVE_INFINITY);
  const boxes = new Map<string, Box>();
  let height = 0;
  let width = 0;
  for (const node of all) {
    const x = columns[node.depth] ?? 0;
    const y = topOf(node) - top;
    const own = size(node.data);
    const above = node.parent ? { above: node.parent.data.key } : {};
    boxes.set(node.data.key, { display: node.data, x, y, ...own, ...above });
    width = Math.max(width, x + own.width);
    height = Math.max(height, y + own.height);
  }
  return { boxes, width, height };
}

/** Where the column of each depth begins: right of the widest box of the one before. */
function columnsOf(root: HierarchyNode<Display>, size: (display: Display) => Size): number[] {
  const widths: number[] = [];
  for (const { depth, data } of root.descendants()) {
    widths[depth] = Math.max(widths[depth] ?? 0, size(data).width);
  }
  let x = 0;
  return widths.map((width) => {
    const start = x;
    x += width + COLUMN_GAP;
    return start;
  });
}

function sizeOf(display: Display): Size {
  if (display.kind === "single") return { width: SINGLE_WIDTH, height: SINGLE_HEIGHT };
  const count = display.members.length;
  const grid = display.kind === "chain" ? chainGrid(count) : siblingGrid(count);
  const width = Math.max(CELLS_WIDTH_MIN, gridWidth(grid) + 2 * CELLS_PADDING);
  return { width, height: CELLS_HEADER + gridHeight(grid) + CELLS_PADDING, grid };
}
