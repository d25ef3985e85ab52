/** Remembers which claims were begun here, so that one which is told of twice is run once. */
import type { Claim } from "@resonate-ts/protocol";

/** Most tasks that are remembered; the oldest is forgotten first. */
const TASKS_MAX = 10_000;

export class BegunClaims {
  /** The newest version, by task. */
  readonly #versions = new Map<string, number>();

  /** Whether this claim, or a newer one on its task, has been begun. */
  has({ id, version }: Claim): boolean {
    return (this.#versions.get(id) ?? 0) >= version;
  }

  add({ id, version }: Claim): void {
    this.#versions.delete(id);
    this.#versions.set(id, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > TASKS_MAX && oldest !== undefined) this.#versions.delete(oldest);
  }
}
