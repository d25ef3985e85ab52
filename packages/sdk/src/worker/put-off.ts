/** Offers, and claims given, of tasks that are held: the newest of each, for when what is held has ended. */
import type { Given, Offer } from "./claims.ts";

export class PutOff {
  readonly #tasks = new Map<string, Offer | Given>();

  /** Messages may come twice and late, so an older one changes nothing. */
  put(next: Offer | Given): void {
    const { id } = "task" in next ? next.task : next;
    const before = this.#tasks.get(id);
    if (!before || orderOf(before) <= orderOf(next)) this.#tasks.set(id, next);
  }

  get(id: string): Offer | Given | undefined {
    return this.#tasks.get(id);
  }

  delete(id: string): void {
    this.#tasks.delete(id);
  }

  /** Forgets all of it; gives the claims. */
  clear(): readonly Offer[] {
    const claims = [...this.#tasks.values()].flatMap((one) => ("task" in one ? [one.task] : []));
    this.#tasks.clear();
    return claims;
  }
}

/** A claim makes a version, and the offers after it have that version. */
function orderOf(one: Offer | Given): number {
  return "task" in one ? one.task.version - 0.5 : one.version;
}
