/**
 * Notices processes that share a pid: a run of a process that connects again after another one has taken its place did
 * not end. Each opening of a stream would otherwise take the other's work away, in turn and without end.
 */
import type { Logger } from "../logger.ts";
import type { Connection } from "./engine.ts";

/** Most processes that are remembered, and most runs of each; the oldest is forgotten first. */
const PROCESSES_MAX = 10_000;
const RUNS_MAX = 8;

export class Twins {
  readonly #logger: Logger;
  /** The runs of each process of a group, the newest stream last. */
  readonly #runs = new Map<string, Set<string>>();
  readonly #warned = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Whether the run that connects shares its pid with one that took its place and may be alive. Says so once. */
  connects({ group, id, incarnation }: Connection): boolean {
    if (incarnation === undefined) return false;
    // What one group knows of a name is nothing to another.
    const place = `${group}\0${id}`;
    const runs = this.#runs.get(place) ?? new Set();
    const twin = runs.has(incarnation) && [...runs].at(-1) !== incarnation;
    runs.delete(incarnation);
    remember(runs.add(incarnation), RUNS_MAX);
    this.#runs.delete(place);
    remember(this.#runs.set(place, runs), PROCESSES_MAX);
    if (twin && !this.#warned.has(place)) {
      remember(this.#warned.add(place), PROCESSES_MAX);
      this.#logger.warn(
        { group, pid: id },
        `several processes have the pid '${id}' at the same time; each needs its own`,
      );
    }
    return twin;
  }
}

function remember(
  entries: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  max: number,
): void {
  const oldest = entries.keys().next();
  if (entries.size > max && !oldest.done) entries.delete(oldest.value);
}
