/** Frees the claims of those who are gone: what they held is offered to others. */
import type { StoredTask } from "../core/records.ts";
import type { Step, Steps } from "../core/step.ts";
import type { Place, Store } from "../stores/store.ts";

/** Most claims that are taken from lost processes at once; the others' leases run out by themselves. */
const HELD_MAX = 100_000;

interface ReleasesOptions {
  readonly store: Pick<Store, "heldBy">;
  /** Whether a process has a stream open, or has been seen to hold something. */
  readonly present: (pid: string) => boolean;
  /** Whether a process has a stream of that group open, here or to another server. */
  readonly connected: (place: Place) => Promise<boolean>;
  /** Takes steps, again after a while where the store could not. */
  readonly insist: (steps: readonly Step[]) => Promise<void>;
}

export class Releases {
  readonly #options: ReleasesOptions;

  constructor(options: ReleasesOptions) {
    this.#options = options;
  }

  /** Whoever held anything is gone. */
  all(): Promise<void> {
    return this.#release(() => true);
  }

  /** That process is gone, whoever goes by its name in that group now. */
  of({ group, id: pid }: Place): Promise<void> {
    return this.#release(() => true, { pid, group });
  }

  /** That process is gone, unless it has come back to the group. */
  async lost(place: Place): Promise<void> {
    if (!(await this.#options.connected(place))) await this.of(place);
  }

  /** After a restart: those are gone who polled, as it seems, and of whom nothing has been heard since. */
  missing(): Promise<void> {
    const { present } = this.#options;
    return this.#release(({ pid = "" }) => !present(pid), { onlyPolled: true });
  }

  async #release(
    isLost: (held: StoredTask) => boolean,
    {
      pid,
      ...limits
    }: { readonly pid?: string } & Pick<Steps["task.expire"], "group" | "onlyPolled"> = {},
  ): Promise<void> {
    const held = await this.#options.store.heldBy(pid, HELD_MAX);
    const steps = held.filter(isLost).map(
      ({ id, version }): Step => ({
        kind: "task.expire",
        data: { id, version, lost: true, ...limits },
      }),
    );
    if (steps.length > 0) await this.#options.insist(steps);
  }
}
