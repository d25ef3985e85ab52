/**
 * What changes, for those who look on.
 *
 * I1. Nothing is done, and nothing kept, while nobody looks.
 * I2. What is kept for one who looks is bounded: beyond it he is told to read everything again.
 */
import { type ActivityPoint, type DashboardEvent, TAG } from "@resonate-ts/protocol";
import type { Change, StoredPromise } from "../core/records.ts";
import type { Inside } from "../engine/inside.ts";
import type { Outline } from "../stores/insight.ts";
import type { Activity } from "./activity.ts";
import { readGroups } from "./groups.ts";
import { nodeOf, parentOf, rootIdOf } from "./node.ts";
import { readOutlines, TREE_NODES_MAX, topOf } from "./tree.ts";
import { PART, turn } from "./walk.ts";

/** What happens within this time is told together, in ms. */
const TOGETHER_MS = 250;
/** How often it is looked who is connected, what happened, and what other servers did, in ms: within a second all told. */
const LOOK_MS = 700;
/** Most nodes that are told at a time. */
const NODES_MAX = 1_000;
const RUNS_MAX = 100;
/** Shortest time between two calls to read everything again, in ms; longer where everything is a lot. */
const RESET_MS = 1_000;
/** How much longer for each promise of the run: reading 20,000 takes some tenths of a second. */
const RESET_MS_EACH = 0.25;
/** Most who look at the same time. */
export const WATCHERS_MAX = 100;

/** Must not throw. */
export interface Watcher {
  /** Takes an event; `false` when it cannot. */
  tell(event: DashboardEvent): boolean;
  /** There will be no more: the server stops. */
  over(): void;
}

export interface LiveOptions {
  readonly inside: Inside;
  readonly activity: Pick<Activity, "series">;
  /** Something could not be read. */
  readonly failed: (error: unknown) => void;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #watches = new Set<Watch>();
  #soon: NodeJS.Timeout | undefined;
  #regular: NodeJS.Timeout | undefined;
  #looking = false;
  /** Up to where the series has been told. */
  #toldUntil = 0;
  /** The groups as they were told last, as JSON. */
  #groups = "";

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** Whether nobody else may look. */
  get full(): boolean {
    return this.#watches.size >= WATCHERS_MAX;
  }

  /**
   * Tells of what happens from now on, with `id` of the run that it belongs to. The returned function ends it. Gives
   * nothing when there is no such promise.
   */
  async watch(watcher: Watcher, id: string | undefined): Promise<(() => void) | undefined> {
    const watch = await (id === undefined
      ? this.#runsWatch(watcher)
      : this.#treeWatch(watcher, id));
    if (!watch) return undefined;
    if (this.#watches.size === 0) this.#begin();
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      if (this.#watches.size === 0) this.#end();
    };
  }

  /** Records have been written. */
  written(changes: readonly Change[]): void {
    if (this.#watches.size === 0) return;
    let any = false;
    for (const watch of this.#watches) any = watch.note(changes) || any;
    if (any) this.#soon ??= setTimeout(() => this.#tellSoon(), TOGETHER_MS).unref();
  }

  /** Nobody is told any more. */
  close(): void {
    for (const watch of this.#watches) watch.over();
    this.#watches.clear();
    this.#end();
  }

  async #runsWatch(watcher: Watcher): Promise<RunsWatch> {
    const { inside } = this.#options;
    const watch = new RunsWatch(watcher);
    // Who compares must have seen what was there before.
    if (inside.shared) await watch.lookAgain(inside);
    return watch;
  }

  async #treeWatch(watcher: Watcher, id: string): Promise<TreeWatch | undefined> {
    const { records } = this.#options.inside;
    const top = await topOf(records, id);
    if (!top) return undefined;
    // Noted from before it is read: what is written meanwhile is told twice rather than never.
    const watch = new TreeWatch(watcher, top);
    this.#watches.add(watch);
    try {
      const { outlines } = await readOutlines(records, top);
      watch.know(outlines.values());
    } finally {
      this.#watches.delete(watch);
    }
    return watch;
  }

  #begin(): void {
    const { inside } = this.#options;
    this.#toldUntil = Math.floor(inside.now() / 1_000) * 1_000;
    this.#groups = "";
    this.#regular = setInterval(() => this.#attempt(() => this.#look()), LOOK_MS).unref();
  }

  #end(): void {
    clearInterval(this.#regular);
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }

  #tellSoon(): void {
    this.#soon = undefined;
    this.#attempt(async () => {
      for (const watch of this.#watches) await watch.tellChanged(this.#options.inside);
    });
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const watch of this.#watches) watch.catchUp();
      this.#tellSeries();
      await this.#tellGroups();
      if (!this.#options.inside.shared) return;
      for (const watch of this.#watches) await watch.lookAgain(this.#options.inside);
    } finally {
      this.#looking = false;
    }
  }

  #tellSeries(): void {
    const points = this.#options.activity.series(this.#toldUntil);
    for (const point of points) this.#tellAll({ event: "activity", data: point });
    this.#toldUntil = endOf(points) ?? this.#toldUntil;
  }

  async #tellGroups(): Promise<void> {
    const groups = await readGroups(this.#options.inside);
    const text = JSON.stringify(groups);
    if (text === this.#groups) return;
    this.#groups = text;
    this.#tellAll({ event: "workers", data: groups });
  }

  #tellAll(event: DashboardEvent): void {
    for (const watch of this.#watches) watch.tell(event);
  }

  #attempt(work: () => Promise<void>): void {
    work().catch(this.#options.failed);
  }
}

function endOf(points: readonly ActivityPoint[]): number | undefined {
  const last = points.at(-1);
  return last && last.at + 1_000;
}

/** One who looks on. */
abstract class Watch {
  readonly #watcher: Watcher;
  /** Something was left out, so that everything has to be read again. */
  #lost = false;
  #resetAt = Number.NEGATIVE_INFINITY;
  /** Ids of promises that changed. */
  protected readonly changed = new Set<string>();

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
  }

  /** Whether any of these are about what is looked at. */
  abstract note(changes: readonly Change[]): boolean;
  /** Reads and tells what has changed. */
  abstract tellChanged(inside: Inside): Promise<void>;
  /** Finds what other servers changed. */
  abstract lookAgain(inside: Inside): Promise<void>;

  tell(event: DashboardEvent): void {
    if (this.#lost && !this.#reset()) return;
    if (!this.#watcher.tell(event)) this.#lost = true;
  }

  /** What could not be told before may be told now. */
  catchUp(): void {
    if (this.#lost) this.#reset();
  }

  over(): void {
    this.#watcher.over();
  }

  /** How many promises he reads when he reads everything again. */
  protected get size(): number {
    return 0;
  }

  /** Tells him to read everything again, now or later. */
  protected lose(): void {
    this.#lost = true;
    this.changed.clear();
    this.#reset();
  }

  protected take(): readonly string[] {
    const ids = [...this.changed];
    this.changed.clear();
    return ids;
  }

  #reset(): boolean {
    const now = performance.now();
    const wait = RESET_MS + this.size * RESET_MS_EACH;
    if (now - this.#resetAt < wait || !this.#watcher.tell({ event: "reset", data: {} }))
      return false;
    this.#resetAt = now;
    this.#lost = false;
    return true;
  }
}

/** Looks at the list of runs. */
class RunsWatch extends Watch {
  /** The newest runs, as they were seen last: of shared records. */
  #seen: ReadonlyMap<string, string> | undefined;

  note(changes: readonly Change[]): boolean {
    for (const change of changes) {
      const id = idOf(change);
      // Calls below a run are spelled so; of others it is seen when they are read.
      if (id !== undefined && !id.includes(":")) this.changed.add(id);
      if (this.changed.size > TREE_NODES_MAX) this.lose();
    }
    return this.changed.size > 0;
  }

  async tellChanged(inside: Inside): Promise<void> {
    const ids = this.take();
    if (ids.length > NODES_MAX) return this.lose();
    const outlines = await readAll(inside, ids);
    this.#show(
      inside,
      outlines.filter((one) => parentOf(one) === undefined),
    );
  }

  async lookAgain(inside: Inside): Promise<void> {
    const runs = await inside.records.runs({ limit: RUNS_MAX });
    const before = this.#seen;
    this.#seen = new Map(runs.map((one) => [one.id, signature(one)]));
    if (before)
      this.#show(
        inside,
        runs.filter((one) => before.get(one.id) !== signature(one)),
      );
  }

  #show(inside: Inside, runs: readonly Outline[]): void {
    if (runs.length > RUNS_MAX) {
      this.lose();
      return;
    }
    const at = inside.now();
    const newest = [...runs].sort((one, other) => other.place - one.place);
    const data = newest.map((one) => nodeOf(one, at));
    if (data.length > 0) this.tell({ event: "executions", data });
  }
}

/** Looks at one run. */
class TreeWatch extends Watch {
  readonly #top: Outline;
  /** Ids of its promises, and how they were seen last where others may change them. */
  readonly #members = new Map<string, string>();
  /** Roots of the trees it consists of. */
  readonly #origins = new Set<string>();
  /** Who was at each of its tasks last: a claim often begins and ends between two looks. */
  readonly #holders = new Map<string, string>();

  constructor(watcher: Watcher, top: Outline) {
    super(watcher);
    this.#top = top;
    this.know([top]);
  }

  protected override get size(): number {
    return this.#members.size;
  }

  know(outlines: Iterable<Outline>): void {
    for (const one of outlines) {
      this.#members.set(one.id, signature(one));
      this.#origins.add(rootIdOf(one));
    }
  }

  note(changes: readonly Change[]): boolean {
    for (const change of changes) {
      const id = idOf(change);
      if (id === undefined) continue;
      if ("put" in change && change.put === "promise") this.#join(change.record);
      if (!this.#members.has(id)) continue;
      this.changed.add(id);
      const pid = "put" in change && change.put === "task" ? change.record.pid : undefined;
      if (pid !== undefined) this.#holders.set(id, pid);
    }
    return this.changed.size > 0;
  }

  async tellChanged(inside: Inside): Promise<void> {
    const ids = this.take();
    if (ids.length > NODES_MAX) return this.lose();
    const outlines = await readAll(inside, ids);
    this.know(outlines);
    this.#show(inside, outlines);
  }

  async lookAgain(inside: Inside): Promise<void> {
    const [top = this.#top] = await inside.records.outlines([this.#top.id]);
    const { outlines } = await readOutlines(inside.records, top);
    const changed = [...outlines.values()].filter(
      (one) => this.#members.get(one.id) !== signature(one),
    );
    this.know(changed);
    if (changed.length > NODES_MAX) return this.lose();
    this.#show(inside, changed);
  }

  #show(inside: Inside, outlines: readonly Outline[]): void {
    const at = inside.now();
    const data = outlines.map((one) => {
      const { task, ...node } = nodeOf(one, at);
      const pid = task?.pid ?? this.#holders.get(node.id);
      return task ? { ...node, task: { ...task, ...(pid !== undefined && { pid }) } } : node;
    });
    if (data.length > 0) this.tell({ event: "nodes", data });
  }

  #join(promise: StoredPromise): void {
    if (this.#members.has(promise.id) || this.#members.size >= TREE_NODES_MAX) return;
    const caller = promise.tags[TAG.caller];
    const own = this.#origins.has(rootIdOf(promise));
    if (!own && (caller === undefined || !this.#members.has(caller))) return;
    this.#members.set(promise.id, "");
    this.#origins.add(rootIdOf(promise));
  }
}

function idOf(change: Change): string | undefined {
  if (!("put" in change)) return undefined;
  return change.put === "promise" || change.put === "task" ? change.record.id : undefined;
}

async function readAll({ records }: Inside, ids: readonly string[]): Promise<readonly Outline[]> {
  const found: Outline[] = [];
  for (let from = 0; from < ids.length; from += PART) {
    found.push(...(await records.outlines(ids.slice(from, from + PART))));
    await turn();
  }
  return found;
}

/** Differs when anything that is shown of a promise does. */
function signature({ state, task }: Outline): string {
  return task ? `${state} ${task.state} ${task.version} ${task.failures ?? 0}` : state;
}
