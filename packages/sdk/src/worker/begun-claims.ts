/** Remembers which claims were begun here: one that is told of twice is run once, and what this process has outlived did not end it. */
import type { PromiseRecord } from "@resonate-ts/protocol";

/** Most tasks that are remembered; the oldest is forgotten first. */
const TASKS_MAX = 10_000;

interface Claim {
  readonly task: { readonly id: string; readonly version: number };
  /** Tells a task from one that had its id before, and was forgotten by the server. */
  readonly promise: Pick<PromiseRecord, "createdAt">;
}

interface Begun {
  readonly createdAt: number;
  /** The newest one. */
  readonly version: number;
  /** How many claims were begun since the last verdict. */
  readonly times: number;
}

export class BegunClaims {
  readonly #tasks = new Map<string, Begun>();

  /** Whether this claim, or a newer one on its task, has been begun. */
  has({ task, promise }: Claim): boolean {
    const begun = this.#tasks.get(task.id);
    if (!begun) return false;
    if (begun.createdAt !== promise.createdAt) return begun.createdAt > promise.createdAt;
    return begun.version >= task.version;
  }

  /** How many claims on its task were begun here since the last verdict, in all of which this process stayed alive. */
  outlived({ task, promise }: Claim): number {
    const begun = this.#tasks.get(task.id);
    return begun?.createdAt === promise.createdAt ? begun.times : 0;
  }

  add(claim: Claim): void {
    const { id, version } = claim.task;
    const { createdAt } = claim.promise;
    const times = this.outlived(claim) + 1;
    this.#tasks.delete(id);
    this.#tasks.set(id, { createdAt, version, times });
    const [oldest] = this.#tasks.keys();
    if (this.#tasks.size > TASKS_MAX && oldest !== undefined) this.#tasks.delete(oldest);
  }

  /** A claim of the task has ended with a verdict. */
  verdict(id: string): void {
    const begun = this.#tasks.get(id);
    if (begun) this.#tasks.set(id, { ...begun, times: 0 });
  }
}
