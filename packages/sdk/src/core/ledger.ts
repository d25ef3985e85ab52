/**
 * Counts what one function call has started, by how it stands. Constant work per change, however much was
 * started.
 */
import type { Cell, CellObserver } from "../future.ts";

export class Ledger implements CellObserver {
  /** How many operations were started. */
  started = 0;
  /** How many of them this process still moves. */
  running = 0;
  /** How many are parked and have to settle before the function may finish. */
  joined = 0;
  /** How many are parked and waited for. */
  awaited = 0;
  /** Grows with every change. */
  changes = 0;
  /** Called after every change. */
  changed: () => void = () => {};

  add(cell: Cell): void {
    this.started += 1;
    cell.observe(this);
    this.entered(cell);
  }

  leaving(cell: Cell): void {
    this.#count(cell, -1);
  }

  entered(cell: Cell): void {
    this.#count(cell, 1);
    this.changes += 1;
    this.changed();
  }

  #count(cell: Cell, by: 1 | -1): void {
    if (cell.phase === "running") this.running += by;
    if (cell.phase !== "parked") return;
    if (cell.joined) this.joined += by;
    if (cell.awaited) this.awaited += by;
  }
}
