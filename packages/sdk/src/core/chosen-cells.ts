/**
 * The cells of ids that the program chose, so that one id is one piece of work in one execution.
 *
 * What has settled is kept for a while only: it is on record, and who asks again finds it there.
 */
import type { Cell, CellObserver } from "../future.ts";

/** How many of those that have settled are kept. */
const SETTLED_MAX = 1_000;

export class ChosenCells implements CellObserver {
  readonly #cells = new Map<string, Cell>();
  /** Those that have settled, the first first. */
  readonly #settled = new Set<string>();

  get(id: string): Cell | undefined {
    return this.#cells.get(id);
  }

  set(id: string, cell: Cell): void {
    this.#cells.set(id, cell);
    cell.observe(this);
  }

  leaving(): void {}

  entered({ id, phase }: Cell): void {
    if (phase !== "settled") return;
    this.#settled.add(id);
    const [oldest] = this.#settled;
    if (this.#settled.size <= SETTLED_MAX || oldest === undefined) return;
    this.#settled.delete(oldest);
    this.#cells.delete(oldest);
  }
}
