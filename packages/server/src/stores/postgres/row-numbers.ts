/** The numbers of new rows. Servers take them from the database in blocks, so that no two give out the same. */
import { TAKE_BLOCKS } from "./statements.ts";
import type { Query } from "./transaction.ts";

/** Numbers of a block. */
const BLOCK = 1_000;
/** How long numbers of a block are given out, in ms: their order is the order of creation to within this. */
const BLOCK_MS = 10_000;

export class RowNumbers {
  /** Not given out yet. */
  #blocks: { next: number; readonly end: number; readonly takenAt: number }[] = [];
  #left = 0;

  /** Makes sure that `count` numbers can be taken. */
  async reserve(count: number, query: Query): Promise<void> {
    this.#forgetOld();
    if (count <= this.#left) return;
    const blocks = Math.ceil((count - this.#left) / BLOCK);
    for (const row of await query(TAKE_BLOCKS, [blocks], "take blocks")) {
      const next = Number(row["block"]) * BLOCK;
      this.#blocks.push({ next, end: next + BLOCK, takenAt: performance.now() });
      this.#left += BLOCK;
    }
  }

  /** A number; one that was reserved. */
  take(): number {
    const [block] = this.#blocks;
    if (!block) throw new Error("a row number was taken that had not been reserved");
    const number = block.next++;
    if (block.next === block.end) this.#blocks.shift();
    this.#left--;
    return number;
  }
  #forgetOld(): void {
    const before = performance.now() - BLOCK_MS;
    this.#blocks = this.#blocks.filter(({ takenAt }) => takenAt > before);
    this.#left = this.#blocks.reduce((left, { next, end }) => left + end - next, 0);
  }
}
