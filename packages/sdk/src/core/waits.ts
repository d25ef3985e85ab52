/**
 * What an execution waits for from outside, kept so that parking costs what is new, not all there is.
 *
 * I1. What somebody awaits is named to the server at least once while it is parked: then its settling wakes the task.
 *     What only has to be joined is named a part at a time: nothing goes on because one of it settles, and it is
 *     found settled when its turn comes. So a park costs no more for ten thousand children than for a few hundred.
 * I2. Every park names something that is waited for, and on each park another part of it: a settling that the
 *     server had no reason to wake us for is found in turn.
 */
import type { Cell, CellObserver } from "../future.ts";

/** How many promises that the server knows of already are named again at each park. */
const NAMED_AGAIN_MAX = 32;
/** How many that have to be joined, and that nobody awaits yet, are looked at at once. */
const JOINED_AT_ONCE_MAX = 400;

export class Waits implements CellObserver {
  readonly #parked = new Map<string, Cell>();
  /** To be named for the first time, because somebody awaits them. */
  readonly #freshAwaited = new Set<string>();
  /** To be named for the first time, because they have to be joined. */
  readonly #freshJoined = new Set<string>();
  readonly #awaited = new Set<string>();
  readonly #joined = new Set<string>();
  readonly #registered = new Set<string>();
  /** Called when something that is parked is waited for. */
  asked: () => void = () => {};

  track(cell: Cell): void {
    cell.observe(this);
    this.entered(cell);
  }

  leaving({ id }: Cell): void {
    this.#parked.delete(id);
    this.#freshAwaited.delete(id);
    this.#freshJoined.delete(id);
    this.#awaited.delete(id);
    this.#joined.delete(id);
  }

  entered(cell: Cell): void {
    const { id } = cell;
    if (cell.phase === "settled") this.#registered.delete(id);
    if (cell.phase !== "parked") return;
    this.#parked.set(id, cell);
    if (cell.awaited) {
      this.#awaited.add(id);
      this.asked();
    }
    if (cell.joined) this.#joined.add(id);
    if (this.#registered.has(id)) return;
    if (cell.awaited) this.#freshAwaited.add(id);
    else if (cell.joined) this.#freshJoined.add(id);
  }

  /** What to name at this park; with `all`, everything that is waited for. The awaited ones come last. */
  named({ all }: { readonly all: boolean }): readonly string[] {
    const again = this.#next(all ? Number.POSITIVE_INFINITY : NAMED_AGAIN_MAX);
    const ids = new Set(this.#freshAwaited);
    const joinedMax = all ? Number.POSITIVE_INFINITY : JOINED_AT_ONCE_MAX;
    for (const id of firstOf(this.#freshJoined, joinedMax)) ids.add(id);
    for (const id of again.toReversed()) {
      ids.delete(id);
      ids.add(id);
    }
    return [...ids];
  }

  /** All that is waited for. */
  pending(): readonly string[] {
    return this.#next(Number.POSITIVE_INFINITY);
  }

  /** A bounded part of it, another one each time: what somebody awaits, while there is any, first. */
  some(): readonly string[] {
    return this.#next(JOINED_AT_ONCE_MAX);
  }

  /** What somebody awaits. */
  awaited(): readonly string[] {
    return [...this.#awaited];
  }

  /** The server knows now to wake us for these. */
  registered(ids: readonly string[]): void {
    for (const id of ids) {
      if (!this.#parked.has(id)) continue;
      this.#freshAwaited.delete(id);
      this.#freshJoined.delete(id);
      this.#registered.add(id);
    }
  }

  /** The cell of a promise that is parked, if there is one. */
  get(id: string): Cell | undefined {
    return this.#parked.get(id);
  }

  /** The next `count` of what is waited for, in turn: first what somebody awaits, then what has to be joined. */
  #next(count: number): readonly string[] {
    const ids = new Set<string>();
    for (const source of [this.#awaited, this.#joined]) {
      for (const id of source) {
        if (ids.size >= count) break;
        ids.add(id);
      }
    }
    for (const id of ids) {
      if (this.#awaited.delete(id)) this.#awaited.add(id);
      if (this.#joined.delete(id)) this.#joined.add(id);
    }
    return [...ids];
  }
}

function* firstOf<T>(items: Iterable<T>, max: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken++ >= max) return;
    yield item;
  }
}
