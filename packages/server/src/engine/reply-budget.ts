/**
 * How much one answer over the wire may hold: that of a request, or of a whole batch. Records may be megabytes, and an
 * answer may name a thousand of them.
 *
 * I1. What was done is answered: a budget that is spent leaves out preloads, which are a help and no more, and
 *     leaves what follows in the batch undone; it never hides the answer to a step that was taken.
 */
import type { Step } from "../core/step.ts";
import { weigh } from "../core/weigh.ts";

/** Without another limit. */
const REPLY_BYTES_MAX = 8 * 1024 * 1024;

/** A step, and the budget that its answer is taken from. */
export type Budgeted = Step & { readonly budget?: ReplyBudget };

export class ReplyBudget {
  readonly bytesMax: number;
  #left: number;
  /** What a transaction begins with. */
  #kept: number;

  constructor(bytesMax = REPLY_BYTES_MAX) {
    this.bytesMax = bytesMax;
    this.#left = bytesMax;
    this.#kept = bytesMax;
  }

  get spent(): boolean {
    return this.#left <= 0;
  }

  /** What reading for an answer may still bring, in bytes. */
  get left(): number {
    return Math.max(0, this.#left);
  }

  /** A transaction begins, or is run again: what it answered before has not left. */
  refill(): void {
    this.#left = this.#kept;
  }

  /** What has been spent stays so: the next transaction for the same answer has the rest. */
  keep(): void {
    this.#kept = this.#left;
  }

  spend(answer: unknown): void {
    this.#left -= weigh(answer);
  }

  /** As many of the records, from the first on, as there is room for; at least `atLeast` of them. */
  fitting<R>(records: readonly R[], atLeast = 0): readonly R[] {
    let room = this.#left;
    const end = records.findIndex((record, at) => {
      room -= weigh(record);
      return room < 0 && at >= atLeast;
    });
    return end === -1 ? records : records.slice(0, end);
  }
}
