/**
 * Finds tasks that wait for each other and for nothing else, which would wait until the first of their deadlines.
 *
 * A task that is suspended goes on as soon as one of the promises that it awaits settles, so it is stuck when all that
 * can be reached from it, along what is awaited, is suspended. That can begin only with a suspend, on suspended tasks
 * alone: those are looked at, after their commit, by reading. The walk ends at the first that is not suspended, so it
 * is short where work is under way. What it finds is broken by a step that looks again (`core/cycle/break.ts`).
 */
import type { Deadlock, Step } from "../core/step.ts";
import { viewTask } from "../core/view.ts";
import type { Transaction } from "../stores/store.ts";
import type { GroupCommitOptions } from "./options.ts";
import { Session } from "./session.ts";

/** Most tasks that one walk goes through. A larger deadlock ends with the first deadline in it. */
const WALK_MAX = 1_000;
/** Most tasks that may wait to be looked at; the deadlines of more do what the walk would have done. */
const WAITING_MAX = 100_000;

type AwaitCyclesOptions = Pick<GroupCommitOptions, "store" | "settings" | "clock" | "breakCycles">;

export class AwaitCycles {
  readonly #options: AwaitCyclesOptions;
  readonly #insist: (steps: readonly Step[]) => Promise<void>;
  readonly #waiting = new Set<string>();
  #looking = false;

  /** `insist`: takes a step, again after a while where the store could not. */
  constructor(options: AwaitCyclesOptions, insist: (steps: readonly Step[]) => Promise<void>) {
    this.#options = options;
    this.#insist = insist;
  }

  /** This task was suspended on suspended ones. Where reading fails, it is to be asked for again. */
  async look(suspended: string): Promise<void> {
    if (this.#options.breakCycles === false) return;
    if (this.#waiting.size < WAITING_MAX) this.#waiting.add(suspended);
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const id of this.#waiting) {
        const deadlock = await walk(id, (one) => this.#read(one));
        if (deadlock) await this.#insist([{ kind: "cycle.break", data: deadlock }]);
        this.#waiting.delete(id);
      }
    } finally {
      this.#looking = false;
    }
  }

  /** A transaction for each, so that nothing is kept from others for long; beside them where the store can. */
  #read(id: string): Promise<Waiting | undefined> {
    const { store, settings, clock } = this.#options;
    const at = clock.now();
    const look = async (tx: Transaction): Promise<Waiting | undefined> => {
      const session = new Session(tx, at, settings);
      await session.load({ promises: [id], awaits: [id] });
      const view = viewTask(id, session);
      const { awaited, more } = session.awaits(id);
      // What waits for nothing is not understood, and left alone.
      if (view?.task.state !== "suspended" || more || awaited.length === 0) return undefined;
      return { id, bornAt: view.promise.createdAt, awaited };
    };
    return store.aside ? store.aside(look, at) : store.transaction(look, at);
  }
}

/** A suspended task. */
interface Waiting {
  readonly id: string;
  readonly bornAt: number;
  readonly awaited: readonly string[];
}

/** All that can be reached from a task, if none of it can go on. */
async function walk(
  start: string,
  read: (id: string) => Promise<Waiting | undefined>,
): Promise<Deadlock | undefined> {
  const reached = new Map<string, Waiting>();
  const ahead = [start];
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    if (reached.has(id)) continue;
    const found = reached.size < WALK_MAX ? await read(id) : undefined;
    if (!found) return undefined;
    reached.set(id, found);
    ahead.push(...found.awaited);
  }
  return { members: [...reached.keys()], cycle: youngestFirst(cycleIn(reached, start)) };
}

/** The first cycle on the way along what each of them awaits first: there is one, as the way does not end. */
function cycleIn(reached: ReadonlyMap<string, Waiting>, start: string): readonly Waiting[] {
  const way: Waiting[] = [];
  const seen = new Set<Waiting>();
  let next = reached.get(start);
  while (next && !seen.has(next)) {
    way.push(next);
    seen.add(next);
    next = reached.get(next.awaited[0] ?? start);
  }
  return way.slice(way.findIndex(({ id }) => id === next?.id));
}

/** The youngest is the one that was called by the others, or by whoever called them: its caller is told. */
function youngestFirst(cycle: readonly Waiting[]): Deadlock["cycle"] {
  const isYounger = (one: Waiting, other: Waiting) =>
    one.bornAt > other.bornAt || (one.bornAt === other.bornAt && one.id > other.id);
  const youngest = cycle.reduce((found, one) => (isYounger(one, found) ? one : found));
  const at = cycle.indexOf(youngest);
  const after = [...cycle.slice(at + 1), ...cycle.slice(0, at)].map(({ id }) => id);
  return [youngest.id, ...after];
}
