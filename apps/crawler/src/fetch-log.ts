import type { Fetched } from "./fetch-page.ts";
import { pageLine } from "./report.ts";

/**
 * Prints what this process fetches for its run. It may fetch pages of other runs too, which another process has begun:
 * each of those is named once, and nothing of it is printed or counted.
 */
export class FetchLog {
  /** How many answers this process got for its run. */
  answered = 0;
  readonly #run: string;
  readonly #print: (line: string) => void;
  readonly #others = new Set<string>();

  constructor(run: string, print: (line: string) => void) {
    this.#run = run;
    this.#print = print;
  }

  readonly fetched: Fetched = (page, { run }) => {
    if (run === this.#run) {
      if (page.status !== undefined) this.answered++;
      this.#print(pageLine(page));
    } else if (!this.#others.has(run)) {
      this.#others.add(run);
      this.#print(`Working on run ${run} too, which is not finished.`);
    }
  };
}
