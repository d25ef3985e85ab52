/**
 * Which process holds which tasks, as far as it has been seen: how much each one has to do, what it was given and has
 * not confirmed, and who has the execution of a suspended task in memory. It may be forgotten without harm.
 *
 * I1. A process's `held` and `given` are the numbers of its entries in `#tasks`.
 */
import type { StoredTask } from "../core/records.ts";

/** Most claims that are followed, and most suspended tasks whose last holder is remembered. */
const REMEMBERED_MAX = 100_000;

/** What one process has to do. */
interface Load {
  /** Tasks it holds. */
  held: number;
  /** Those of them that it was given, in place of asking for them. */
  given: number;
  /** Claims that are being made for it. */
  reserved: number;
}

interface Holding {
  readonly pid: string;
  readonly version: number;
  given: boolean;
}

export interface Given {
  readonly id: string;
  readonly version: number;
  readonly pid: string;
  /** The group in which it was given. */
  readonly group: string;
}

export interface Suspended {
  readonly pid: string;
  readonly version: number;
  readonly incarnation: string | undefined;
}

const IDLE: Readonly<Load> = { held: 0, given: 0, reserved: 0 };

export class Holdings {
  readonly #tasks = new Map<string, Holding>();
  readonly #loads = new Map<string, Load>();
  /** Claims that were given and not confirmed, the longest first, and when they were given. */
  readonly #unconfirmed = new Map<string, Given & { readonly at: number }>();
  /** Who suspended a task last, the longest ago first. */
  readonly #suspended = new Map<string, Suspended>();

  /** The process that holds a task, as far as has been seen. */
  of(id: string): Readonly<Holding> | undefined {
    return this.#tasks.get(id);
  }

  load(pid: string): Readonly<Load> {
    return this.#loads.get(pid) ?? IDLE;
  }

  /** Whether claims wait for a word of those who were given them. */
  get awaitsWord(): boolean {
    return this.#unconfirmed.size > 0;
  }

  /** Takes over what became of a task; gives the process that does not hold it any more. */
  seen(task: StoredTask, incarnationOf: (pid: string) => string | undefined): string | undefined {
    const { id, version, state } = task;
    const before = this.#tasks.get(id);
    if (state === "acquired" && before?.version === version) return undefined;
    if (before) this.#end(id, before);
    // One that became pending stays with whoever suspended it.
    if (state !== "pending") this.#suspended.delete(id);
    if (state === "acquired" && task.pid !== undefined) this.#begin(id, version, task.pid);
    if (state === "suspended" && before?.version === version) {
      const { pid } = before;
      this.#remember(id, { pid, version, incarnation: incarnationOf(pid) });
    }
    return before?.pid;
  }

  /** Who suspended the task at this version, and may have its execution in memory. */
  suspended({
    id,
    version,
  }: {
    readonly id: string;
    readonly version: number;
  }): Suspended | undefined {
    const suspended = this.#suspended.get(id);
    return suspended?.version === version ? suspended : undefined;
  }

  /** A claim is being made for a process, until the returned function is called. */
  reserve(pid: string): () => void {
    const load = this.#loadOf(pid);
    load.reserved++;
    return () => {
      load.reserved--;
      this.#tidy(pid, load);
    };
  }

  /** A claim goes to its process. */
  give({ id, version, pid, group }: Given, at: number): void {
    const holding = this.#tasks.get(id);
    if (holding?.version === version && !holding.given) {
      holding.given = true;
      this.#loadOf(pid).given++;
    }
    this.#unconfirmed.set(id, { id, version, pid, group, at });
  }

  /** Word of a claim; gives the process that had been given it and not confirmed it. */
  confirm(id: string, version: number): string | undefined {
    const given = this.#unconfirmed.get(id);
    if (given?.version !== version) return undefined;
    this.#unconfirmed.delete(id);
    return given.pid;
  }

  /** Takes out the claims that were given at or before `at` and have not been confirmed. */
  takeUnconfirmed(at: number): readonly Given[] {
    const given: Given[] = [];
    for (const [id, claim] of this.#unconfirmed) {
      if (claim.at > at) break;
      this.#unconfirmed.delete(id);
      given.push(claim);
    }
    return given;
  }

  #begin(id: string, version: number, pid: string): void {
    if (this.#tasks.size >= REMEMBERED_MAX) return;
    this.#tasks.set(id, { pid, version, given: false });
    this.#loadOf(pid).held++;
  }

  #end(id: string, { pid, version, given }: Holding): void {
    this.#tasks.delete(id);
    this.confirm(id, version);
    const load = this.#loadOf(pid);
    load.held--;
    if (given) load.given--;
    this.#tidy(pid, load);
  }

  #remember(id: string, suspended: Suspended): void {
    this.#suspended.set(id, suspended);
    if (this.#suspended.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#suspended.keys()) {
      this.#suspended.delete(oldest);
      return;
    }
  }

  #loadOf(pid: string): Load {
    const load = this.#loads.get(pid) ?? { ...IDLE };
    this.#loads.set(pid, load);
    return load;
  }

  #tidy(pid: string, { held, reserved }: Load): void {
    if (held + reserved === 0) this.#loads.delete(pid);
  }
}
