/**
 * Forgets trees that ended long ago: goes through what is old in the order of creation, again and again, in portions
 * that are bounded in what they read and in what one commit deletes. What is young is not looked at.
 */
import { type Step, TREE_PAGE } from "../core/step.ts";
import type { Logger } from "../logger.ts";
import type { OldTree, Store } from "../stores/store.ts";
import type { Clock } from "./clock.ts";

/** The wait before the first look, in ms: after a start, what waits for work comes first. */
const START_MS = 1_000;
/** Most promises that one look goes through. */
const LOOK_MAX = 1_000;
/** The pause between two portions, in ms: others have at least as much of the time. */
const PAUSE_MS = 20;
/** The pause between two passes, in ms, as a part of the age, and within these bounds. */
const PASSES_PER_AGE = 10;
const PASS_MS_MIN = 1_000;
const PASS_MS_MAX = 60_000;

export interface RetentionOptions {
  readonly store: Pick<Store, "oldTrees">;
  readonly clock: Pick<Clock, "now">;
  /** How long ago a tree must have ended, in ms. */
  readonly ageMs: number;
  /** Takes steps in one transaction. */
  readonly take: (steps: readonly Step[]) => Promise<unknown>;
  readonly logger: Logger;
  /** Does `work` after so many ms, unless the engine has ended. */
  readonly after: (ms: number, work: () => Promise<void>) => void;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Where the next look of this pass begins; 0 when a new pass does. */
  #after = 0;
  /** What was found and not taken yet: each of these is one transaction. */
  #portions: (readonly OldTree[])[] = [];

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#goOn(START_MS);
  }

  #goOn(ms: number): void {
    this.#options.after(ms, async () => this.#goOn(await this.#next()));
  }

  /** Takes one portion. Gives how long to wait for the next one, in ms. */
  async #next(): Promise<number> {
    const before = this.#options.clock.now() - this.#options.ageMs;
    if (this.#portions.length === 0 && !(await this.#look(before))) return PASS_MS_MAX;
    const portion = this.#portions.shift();
    if (portion) await this.#take(portion, before);
    if (this.#portions.length > 0 || this.#after > 0) return PAUSE_MS;
    return Math.min(Math.max(this.#options.ageMs / PASSES_PER_AGE, PASS_MS_MIN), PASS_MS_MAX);
  }

  /** Looks at the next promises of this pass; whether they could be read. */
  async #look(before: number): Promise<boolean> {
    const { store, logger } = this.#options;
    const look = { after: this.#after, before, limit: LOOK_MAX };
    try {
      const { trees, next = 0 } = await store.oldTrees(look);
      this.#after = next;
      this.#portions = portionsOf(trees);
      return true;
    } catch (error) {
      // What cannot be read is kept, and must not keep what comes after it.
      logger.error({ error, ...look }, "retention could not read what is old, and skips it");
      this.#after += LOOK_MAX;
      return false;
    }
  }

  async #take(portion: readonly OldTree[], before: number): Promise<void> {
    const { store, take } = this.#options;
    await take(
      portion.map(({ origin, caller }) => ({
        kind: "tree.retire",
        data: { origin, before, ...(caller !== undefined && { caller }) },
      })),
    );
    const [tree] = portion;
    if (!tree || tree.size <= TREE_PAGE) return;
    // A wide tree goes page by page, as long as there is progress.
    const look = { after: tree.place - 1, before, limit: 1 };
    const [left] = (await store.oldTrees(look)).trees;
    if (left?.origin === tree.origin && left.size < tree.size) this.#portions.unshift([left]);
  }
}

/** Trees that are deleted together: as many as fit into one page, and a wide one alone. */
function portionsOf(trees: readonly OldTree[]): OldTree[][] {
  const portions: OldTree[][] = [];
  let room = 0;
  for (const tree of trees) {
    if (tree.size > room) {
      portions.push([]);
      room = TREE_PAGE;
    }
    portions.at(-1)?.push(tree);
    room -= tree.size;
  }
  return portions;
}
