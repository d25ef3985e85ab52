/** Paints the cells of a box. */
import type { ExecutionNode } from "@resonate-ts/protocol";
import { type CellGrid, cellAt } from "../../model/cell-grid.ts";
import { workerColour } from "../../model/palette.ts";
import { isSettled, type Status, statusOf } from "../../model/status.ts";
import type { Colours } from "../../ui/use-colours.ts";
import type { Scene } from "./scene.ts";

interface Paint {
  readonly colour: string;
  readonly alpha: number;
}

/** What has a worker's colour; everything else has one of its own. */
const WORKED_ON: readonly Status[] = ["done", "running", "waiting"];
/** What is finished steps back behind what goes on. */
const SETTLED_ALPHA = 0.55;

export function paintCells(
  context: CanvasRenderingContext2D,
  { members, grid }: { readonly members: readonly ExecutionNode[]; readonly grid: CellGrid },
  { scene, colours }: { readonly scene: Scene; readonly colours: Colours },
): void {
  const size = grid.pitch - grid.gap;
  if (grid.snake) paintThread(context, members.length, grid, colours("--line-strong"));
  members.forEach((node, index) => {
    const { x, y } = cellAt(grid, index);
    const status = statusOf(node);
    const { colour, alpha } = paintOf(node, status, { scene, colours });
    if (grid.snake) fillCell(context, { x, y, size }, colours("--surface"));
    context.globalAlpha = alpha;
    fillCell(context, { x, y, size }, colour);
    context.globalAlpha = 1;
    if (status === "running" && size >= 7) paintSpot(context, { x, y, size }, colours("--surface"));
    if (node.shared && size >= 9) paintCorner(context, { x, y, size }, colours("--text"));
    if (node.id === scene.selected) paintRing(context, { x, y, size }, colours("--text"));
  });
}

function paintOf(
  { id }: ExecutionNode,
  status: Status,
  { scene, colours }: { readonly scene: Scene; readonly colours: Colours },
): Paint {
  const worker = scene.workers.get(id);
  const unknown = { colour: colours("--status-open"), alpha: 0.5 };
  const byStatus = { colour: colours(`--status-${status.replace(" ", "-")}`), alpha: 1 };
  if (scene.colourBy === "status" || !WORKED_ON.includes(status)) return byStatus;
  // Colours of workers must not be taken for those of statuses.
  if (worker === undefined) return status === "done" ? byStatus : unknown;
  const node = scene.run.nodes.get(id);
  const alpha = node && isSettled(node) ? SETTLED_ALPHA : 1;
  return { colour: colours(`--worker-${workerColour(worker)}`), alpha };
}

interface Square {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

function fillCell(context: CanvasRenderingContext2D, { x, y, size }: Square, colour: string): void {
  context.fillStyle = colour;
  if (size < 7) {
    context.fillRect(x, y, size, size);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, size, size, size / 5);
  context.fill();
}

/** Somebody is at it. */
function paintSpot(
  context: CanvasRenderingContext2D,
  { x, y, size }: Square,
  colour: string,
): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x + size / 2, y + size / 2, size / 5, 0, 2 * Math.PI);
  context.fill();
}

/** Others may use it too. */
function paintCorner(
  context: CanvasRenderingContext2D,
  { x, y, size }: Square,
  colour: string,
): void {
  const side = size / 3.5;
  context.fillStyle = colour;
  context.globalAlpha = 0.45;
  context.beginPath();
  context.moveTo(x + size - side, y);
  context.lineTo(x + size, y);
  context.lineTo(x + size, y + side);
  context.fill();
  context.globalAlpha = 1;
}

function paintRing(
  context: CanvasRenderingContext2D,
  { x, y, size }: Square,
  colour: string,
): void {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, size + 2, size + 2);
}

/** What holds a chain together. */
function paintThread(
  context: CanvasRenderingContext2D,
  count: number,
  grid: CellGrid,
  colour: string,
): void {
  const half = (grid.pitch - grid.gap) / 2;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  for (let index = 0; index < count; index++) {
    const { x, y } = cellAt(grid, index);
    context.lineTo(x + half, y + half);
  }
  context.stroke();
}
