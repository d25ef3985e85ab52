/**
 * A cell that stands for others of the same execution.
 *
 * I1. It begins to watch when it is told to, or when somebody first asks for its outcome; in that very call it never
 *     settles: drivers rely on that.
 * I2. It is parked exactly when something it watches is parked and nothing it watches is running.
 */
import { Cell, type CellObserver, type Settled } from "../future.ts";
import type { Host } from "./host.ts";
import { goOn } from "./starter.ts";

export class CombinedCell extends Cell implements CellObserver {
  readonly #host: Host;
  #begin: (() => void) | undefined;
  #running = 0;
  #pending = 0;
  /** What it has watched. */
  readonly #parts = new Set<Cell>();
  /** It is looking at what it watches, and judges its phase afterwards. */
  #busy = false;

  /** `begin` starts to watch. Until then it counts as parked. */
  constructor(
    id: string,
    parts: { readonly host: Host; readonly joined: boolean; readonly begin: () => void },
  ) {
    super(id, parts);
    this.#host = parts.host;
    this.#begin = parts.begin;
    this.park();
  }

  override wait(waiter: (outcome: Settled) => void): void {
    const begin = this.#begin;
    this.#begin = undefined;
    if (begin) this.unpark();
    super.wait(waiter);
    if (begin) goOn(this.#host, Promise.resolve(), () => this.#look(begin));
  }

  /** Begins now, though nobody has asked yet. */
  begin(): void {
    const begin = this.#begin;
    this.#begin = undefined;
    if (!begin) return;
    this.unpark();
    this.#look(begin);
  }

  /** Calls `then` with the outcome of a part, now if it is there. Only from `begin` or another `then`. */
  watch(part: Cell, then: (outcome: Settled) => void): void {
    if (part.outcome) {
      then(part.outcome);
      return;
    }
    if (!this.#parts.has(part)) {
      this.#parts.add(part);
      part.observe(this);
      if (part.phase === "running") this.#running += 1;
    }
    this.#pending += 1;
    part.wait((outcome) => {
      this.#pending -= 1;
      this.#look(() => then(outcome));
    });
  }

  /** What it still waits for. */
  get pending(): readonly Cell[] {
    return [...this.#parts].filter(({ phase }) => phase !== "settled");
  }

  leaving(part: Cell): void {
    if (part.phase === "running") this.#running -= 1;
  }

  entered(part: Cell): void {
    if (part.phase === "running") this.#running += 1;
    // One that has settled is about to call back.
    if (part.phase !== "settled") this.#judge();
  }

  #look(work: () => void): void {
    this.#busy = true;
    work();
    this.#busy = false;
    this.#judge();
  }

  #judge(): void {
    if (this.#busy) return;
    if (this.#running === 0 && this.#pending > 0) this.park();
    else this.unpark();
  }
}
