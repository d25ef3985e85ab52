/**
 * Whether a history could be that of one server that does one thing after the other (Wing and Gong's search, with
 * Lowe's memory of what was tried): looks for an order of the operations that keeps to the order of those that did
 * not overlap, and in which the oracle gives every answer that was seen. Operations without an answer take any place
 * after their call, or none.
 */
import { hash } from "node:crypto";
import { Oracle } from "../differential/oracle.ts";
import { essence, type Operation } from "./history.ts";

export type Verdict = "linearizable" | "not linearizable" | "inconclusive";

/** Operations tried on an oracle before the search gives up. */
const TRIES_MAX = 100_000;
/** As no lease ends, a heartbeat is one. */
const READS: readonly string[] = ["promise.get", "promise.search", "task.get", "task.heartbeat"];
/** The oracle's time stands still: whoever makes a history gives deadlines and leases that it does not see the end of. */
const NOW = 1;

export function check(operations: readonly Operation[]): Verdict {
  return new Search(operations).run();
}

class Search {
  readonly #operations: readonly Operation[];
  readonly #answers: readonly (string | undefined)[];
  readonly #tried = new Set<string>();
  #tries = 0;

  constructor(operations: readonly Operation[]) {
    this.#operations = operations.toSorted((a, b) => a.call - b.call);
    this.#answers = this.#operations.map(({ answer }) => answer && essence(answer));
  }

  run(): Verdict {
    const oracle = new Oracle();
    oracle.now = NOW;
    const left = this.#operations.map((_, index) => index);
    const found = this.#from(oracle, left);
    if (found) return "linearizable";
    return this.#tries >= TRIES_MAX ? "inconclusive" : "not linearizable";
  }

  /** Whether what is left can be put in order after what the oracle has seen. */
  #from(oracle: Oracle, left: readonly number[]): boolean {
    if (left.every((index) => this.#answers[index] === undefined)) return true;
    const candidates = this.#candidates(left);
    // What changes nothing wherever it stands may as well stand here, where it fits.
    const inert = candidates.find((index) => this.#isInert(index) && this.#fits(oracle, index));
    if (inert !== undefined) return this.#from(oracle, without(left, inert));
    const now = oracle.fingerprint();
    for (const index of candidates) {
      if (this.#isInert(index)) continue;
      if (this.#tries >= TRIES_MAX) return false;
      const after = oracle.copy();
      if (!this.#fits(after, index)) continue;
      const state = after.fingerprint();
      // What nobody was answered, and nobody can see, need not have happened here.
      if (this.#answers[index] === undefined && state === now) continue;
      const rest = without(left, index);
      const key = hash("sha1", `${rest.join()} ${state}`);
      if (this.#tried.has(key)) continue;
      this.#tried.add(key);
      if (this.#from(after, rest)) return true;
    }
    return false;
  }

  /** Takes the operation on the oracle. Whether its answer is the one that was seen. */
  #fits(oracle: Oracle, index: number): boolean {
    this.#tries++;
    const { kind, data, preload } = this.#at(index);
    const seen = this.#answers[index];
    const refused = this.#isInert(index) && !READS.includes(kind);
    const answer = (refused ? oracle.copy() : oracle).ask(kind, data, preload);
    return seen === undefined || seen === essence(answer);
  }

  /** Reads and refusals change nothing. */
  #isInert(index: number): boolean {
    const { kind, answer } = this.#at(index);
    return answer !== undefined && (READS.includes(kind) || answer.status >= 400);
  }

  /** Those that nothing left had returned before; answered ones first, since the others may not have happened. */
  #candidates(left: readonly number[]): readonly number[] {
    const end = Math.min(
      ...left.map((index) =>
        this.#answers[index] === undefined ? Number.POSITIVE_INFINITY : this.#at(index).return,
      ),
    );
    const able = left.filter((index) => this.#at(index).call <= end);
    const answered = able.filter((index) => this.#answers[index] !== undefined);
    return [...answered, ...able.filter((index) => this.#answers[index] === undefined)];
  }

  #at(index: number): Operation {
    const operation = this.#operations[index];
    if (!operation) throw new Error("no such operation");
    return operation;
  }
}

function without(list: readonly number[], one: number): readonly number[] {
  return list.filter((other) => other !== one);
}
