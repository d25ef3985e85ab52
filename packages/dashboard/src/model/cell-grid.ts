/** Where the cells of a box are: row by row for siblings, there and back for a chain, so that neighbours stay neighbours. */

export interface CellGrid {
  readonly columns: number;
  readonly rows: number;
  /** From one cell to the next. */
  readonly pitch: number;
  /** Between cells. */
  readonly gap: number;
  readonly snake: boolean;
}

/** How much wider than high a box of siblings is. */
const RATIO = 1.8;

export function siblingGrid(count: number): CellGrid {
  const columns = Math.max(8, Math.ceil(Math.sqrt(count * RATIO)));
  return { columns, ...sized(count, columns), snake: false };
}

export function chainGrid(count: number): CellGrid {
  const columns = Math.min(count, Math.max(10, Math.ceil(Math.sqrt(count * RATIO))));
  return { columns, ...sized(count, columns), snake: true };
}

export function gridWidth({ columns, pitch, gap }: CellGrid): number {
  return columns * pitch - gap;
}

export function gridHeight({ rows, pitch, gap }: CellGrid): number {
  return rows * pitch - gap;
}

/** The upper left corner of a cell. */
export function cellAt(
  { columns, pitch, snake }: CellGrid,
  index: number,
): { readonly x: number; readonly y: number } {
  const row = Math.floor(index / columns);
  const along = index % columns;
  const column = snake && row % 2 === 1 ? columns - 1 - along : along;
  return { x: column * pitch, y: row * pitch };
}

/** The cell at a point, if there is one; the gap after a cell belongs to it. */
export function cellUnder(
  grid: CellGrid,
  count: number,
  point: { readonly x: number; readonly y: number },
): number | undefined {
  const column = Math.floor(point.x / grid.pitch);
  const row = Math.floor(point.y / grid.pitch);
  if (column < 0 || row < 0 || column >= grid.columns) return undefined;
  const along = grid.snake && row % 2 === 1 ? grid.columns - 1 - column : column;
  const index = row * grid.columns + along;
  return index < count ? index : undefined;
}

function sized(count: number, columns: number): Pick<CellGrid, "rows" | "pitch" | "gap"> {
  const rows = Math.max(1, Math.ceil(count / columns));
  if (count <= 60) return { rows, pitch: 24, gap: 4 };
  if (count <= 250) return { rows, pitch: 18, gap: 3 };
  if (count <= 1_500) return { rows, pitch: 12, gap: 2 };
  if (count <= 5_000) return { rows, pitch: 8, gap: 1 };
  return { rows, pitch: 6, gap: 1 };
}
