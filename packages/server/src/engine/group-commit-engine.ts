/**
 * The engine: one commit for all that waits.
 *
 * I1. Nothing of a transaction leaves the engine (answers, messages) before the transaction is durable.
 * I2. One transaction at a time; what arrives meanwhile shares the next one.
 * I3. After an outcome that cannot be known the engine takes no further step: whoever starts next reads the disk.
 */
import { PROTOCOL_VERSION, type Refusal, type Request, type Response } from "@resonate-ts/protocol";
import { standingOffer } from "../core/offer.ts";
import type { Change, Put } from "../core/records.ts";
import type { CoreSettings, Step } from "../core/step.ts";
import type { Logger } from "../logger.ts";
import { type Store, StoreUnavailableError, StoreUnknownError } from "../stores/store.ts";
import type { Clock } from "./clock.ts";
import { Departures } from "./departures.ts";
import { Dispatcher, OFFERS_MAX } from "./dispatcher.ts";
import type { Connection, Engine } from "./engine.ts";
import { type Executed, execute } from "./execute.ts";

/** Most requests of one commit; what is beyond goes into the next. */
const COMMIT_STEPS_MAX = 1_024;
/** Most requests that may wait. Beyond it they are refused with 503 and nothing is lost. */
const WAITING_MAX = 100_000;
/** Most due steps of one commit. */
const DUE_STEPS_MAX = 1_000;
/** Most claims that are taken from lost processes at once; the others' leases run out by themselves. */
const HELD_MAX = 100_000;
/** How often unanswered offers are looked for, in ms. */
const SWEEP_MS = 1_000;
/** Longest that the timer of due steps sleeps, in ms: it looks again then, whatever it was set for. */
const SLEEP_MAX_MS = 3_600_000;
/** How long due steps that could not be taken (a full disk, say) wait for the next try, in ms. */
const DUE_RETRY_MS = 1_000;
/** How long the notes of delivered notices are gathered, in ms, to share a commit. */
const NOTED_DELAY_MS = 50;

export interface GroupCommitOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: CoreSettings;
  readonly serverUrl: string | undefined;
  readonly logger: Logger;
  /**
   * How long those who held claims when the last process ended may take to come back, in ms. With 0 all claims
   * are free at once: right when they were held by that very process.
   */
  readonly restartGraceMs: number;
}

interface Entry {
  readonly steps: readonly Step[];
  resolve(answers: readonly (Response | Refusal)[]): void;
  reject(error: unknown): void;
}

export class GroupCommitEngine implements Engine {
  readonly failed: Promise<never>;
  readonly #options: GroupCommitOptions;
  readonly #dispatcher: Dispatcher;
  readonly #departures: Departures;
  readonly #queue: Entry[] = [];
  /** Steps in `#queue`. */
  #waiting = 0;
  #running: Promise<void> | undefined;
  #state: "open" | "closing" | "failed" = "open";
  /** Why nothing is written any more, when the state is `failed`. */
  #cause: unknown;
  #closed: Promise<void> | undefined;
  #fail: (error: unknown) => void = () => {};
  #cancelTimer: () => void = () => {};
  #timerAt = Number.POSITIVE_INFINITY;
  #due = false;
  readonly #cancels = new Set<() => void>();
  #noted: Step[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    const now = () => options.clock.now();
    this.#dispatcher = new Dispatcher({ serverUrl: options.serverUrl, now });
    this.#departures = new Departures(options.clock, (pid) =>
      this.#attempt(() => this.#releaseLost(pid)),
    );
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {}); // Whoever needs to know has its own handler.
    this.#sweepLater();
  }

  /** Takes up what an earlier process left: offers, claims of those who are gone, and all that fell due. */
  async start(): Promise<void> {
    const { store, restartGraceMs } = this.#options;
    if (restartGraceMs === 0) await this.#releaseLost();
    else this.#after(restartGraceMs, () => this.#releaseLost());
    const now = this.#options.clock.now();
    for (const { task, promise } of await store.pending(OFFERS_MAX)) {
      const address = standingOffer(promise, now);
      if (address !== undefined) this.#dispatcher.offer(task, address);
    }
    this.#wakeAt(now);
  }

  get connections(): number {
    return this.#dispatcher.connections;
  }

  get writable(): boolean {
    return this.#options.store.writable;
  }

  process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    if (requests.length === 0) return Promise.resolve([]);
    if (this.#state !== "open") {
      return Promise.resolve(refusals(requests, 503, "The server is stopping"));
    }
    if (this.#waiting + requests.length > WAITING_MAX) {
      return Promise.resolve(refusals(requests, 503, "The server is overloaded; try again"));
    }
    return this.#submit(requests as readonly Step[]); // Every request is a step of its kind.
  }

  connect(connection: Connection): () => void {
    const { id, incarnation } = connection;
    const before = this.#dispatcher.incarnationOf(connection) ?? this.#departures.incarnationOf(id);
    this.#departures.back(id);
    this.#dispatcher.open(connection);
    // Another run of that process: whoever held the claims has ended.
    const succeeds = before !== undefined && incarnation !== undefined && before !== incarnation;
    if (succeeds) this.#attempt(() => this.#release((holder) => holder === id, id));
    return () => {
      const left = this.#dispatcher.close(connection) && !this.#dispatcher.connected(id);
      if (left && this.#state === "open") this.#departures.left(id, connection);
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    this.#cancelTimer();
    this.#departures.stop();
    for (const cancel of this.#cancels) cancel();
    this.#due = false;
    this.#dispatcher.closeAll();
    while (this.#running) await this.#running;
    await this.#options.store.close();
  }

  #submit(steps: readonly Step[]): Promise<readonly (Response | Refusal)[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ steps, resolve, reject });
      this.#waiting += steps.length;
      this.#run();
    });
  }

  /** Starts committing, unless it is under way; a turn later, so that what arrives together goes together. */
  #run(): void {
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#drain())
      .catch((error) => this.#stop([], error))
      .finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0 && this.#state !== "failed") this.#run();
      });
  }

  async #drain(): Promise<void> {
    while (this.#state !== "failed" && (this.#queue.length > 0 || this.#due)) {
      if (this.#due) await this.#takeDue();
      const entries = this.#next();
      if (entries.length > 0) await this.#commit(entries);
    }
  }

  /** The longest run of waiting entries that fits into one commit; at least one. */
  #next(): Entry[] {
    let steps = 0;
    let count = 0;
    for (const entry of this.#queue) {
      steps += entry.steps.length;
      if (count > 0 && steps > COMMIT_STEPS_MAX) break;
      count++;
    }
    const entries = this.#queue.splice(0, count);
    for (const entry of entries) this.#waiting -= entry.steps.length;
    return entries;
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    if (this.#state === "failed") return this.#stop(entries, this.#cause);
    let executed: Executed;
    try {
      executed = await this.#execute(entries.flatMap(({ steps }) => steps));
    } catch (error) {
      return this.#commitFailed(entries, error);
    }
    let from = 0;
    for (const { steps, resolve } of entries) {
      const answers = executed.answers.slice(from, from + steps.length);
      from += steps.length;
      resolve(answers as (Response | Refusal)[]); // Requests are answered; who takes other steps does not look.
    }
    this.#deliver(executed);
  }

  async #commitFailed(entries: readonly Entry[], error: unknown): Promise<void> {
    if (error instanceof StoreUnknownError) return this.#stop(entries, error);
    this.#options.logger.error({ error }, "a transaction was rolled back");
    const [only] = entries;
    // A step that breaks must not take others with it: each is tried alone.
    if (entries.length > 1) {
      for (const entry of entries) await this.#commit([entry]);
    } else if (only && only.steps.length > 1) {
      only.resolve(await this.#oneByOne(only.steps));
    } else if (only) {
      only.resolve(only.steps.map((step) => failure(step, error)));
    }
  }

  async #oneByOne(steps: readonly Step[]): Promise<(Response | Refusal)[]> {
    const answers: (Response | Refusal)[] = [];
    for (const step of steps) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly (Response | Refusal)[]>();
      await this.#commit([{ steps: [step], resolve, reject }]);
      answers.push(...(await promise));
    }
    return answers;
  }

  /** The disk is in a state that only a new start can read: every answer is "unknown", and nothing more is done. */
  #stop(entries: readonly Entry[], error: unknown): void {
    this.#state = "failed";
    this.#cause = error;
    for (const { steps, resolve } of [...entries, ...this.#queue.splice(0)]) {
      resolve(steps.map((step) => failure(step, error)));
    }
    this.#waiting = 0;
    this.#dispatcher.closeAll();
    this.#fail(error);
  }

  #execute(steps: readonly Step[]): Promise<Executed> {
    const { store, clock, settings } = this.#options;
    return execute(store, steps, clock.now(), settings);
  }

  /** Keeps timers and offers in step with what has been written. */
  #follow(change: Change): void {
    if (!("put" in change)) return;
    if (change.put === "task") {
      this.#dispatcher.seen(change.record);
      this.#departures.claimed(change.record.pid);
    }
    this.#wakeAt(dueAt(change));
  }

  #deliver({ changes, messages }: Executed): void {
    for (const change of changes) this.#follow(change);
    for (const message of messages) {
      if (message.kind === "execute") {
        this.#dispatcher.offer(message.task, message.address);
      } else if (message.kind === "revoke") {
        this.#dispatcher.revoke(message.promise, message.pid);
      } else if (this.#dispatcher.notify(message.promise, message.address)) {
        this.#note({ awaited: message.promise.id, address: message.address });
      }
    }
  }

  /** Writes down that a notice was delivered, a little later: nobody waits for it. */
  #note(data: { readonly awaited: string; readonly address: string }): void {
    this.#noted.push({ kind: "promise.notified", data });
    if (this.#noted.length > 1) return;
    this.#after(NOTED_DELAY_MS, async () => {
      const steps = this.#noted;
      this.#noted = [];
      await this.#submit(steps);
    });
  }

  async #takeDue(): Promise<void> {
    this.#due = false;
    const { store, clock } = this.#options;
    const { steps, nextAt } = await store.due(clock.now(), DUE_STEPS_MAX);
    let failed = false;
    if (steps.length > 0) {
      // A step of the server's own has an answer only when it could not be taken.
      const resolve: Entry["resolve"] = (answers) => {
        failed = answers.some((answer) => answer !== undefined);
      };
      await this.#commit([{ steps, resolve, reject() {} }]);
    }
    this.#wakeAt(failed ? clock.now() + DUE_RETRY_MS : nextAt);
  }

  /** Offers what lost processes hold to others: one process, or all that held claims and have not connected. */
  #releaseLost(pid?: string): Promise<void> {
    return this.#release((holder) => !this.#dispatcher.connected(holder), pid);
  }

  async #release(isLost: (holder: string) => boolean, pid?: string): Promise<void> {
    const held = await this.#options.store.heldBy(pid, HELD_MAX);
    const lost = held.filter((task) => task.pid !== undefined && isLost(task.pid));
    if (lost.length === 0) return;
    const steps = lost.map(
      ({ id, version }): Step => ({ kind: "task.expire", data: { id, version, lost: true } }),
    );
    await this.#submit(steps);
  }

  #after(ms: number, work: () => Promise<void>): void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      this.#attempt(work);
    });
    this.#cancels.add(cancel);
  }

  #sweepLater(): void {
    this.#after(SWEEP_MS, async () => {
      this.#sweepLater();
      this.#dispatcher.sweep();
    });
  }

  /** Work that nobody waits for. When it fails the store cannot be read, and the engine is of no use. */
  #attempt(work: () => Promise<void>): void {
    if (this.#state === "open") work().catch((error) => this.#stop([], error));
  }

  /** Makes sure that due steps are looked for at `at`. */
  #wakeAt(at: number | undefined): void {
    if (at === undefined || at >= this.#timerAt || this.#state !== "open") return;
    this.#cancelTimer();
    this.#timerAt = at;
    const wait = Math.min(Math.max(0, at - this.#options.clock.now()), SLEEP_MAX_MS);
    this.#cancelTimer = this.#options.clock.after(wait, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#due = true;
      this.#run();
    });
  }
}

/** The instant at which a written record wants attention. */
function dueAt(change: Put): number | undefined {
  switch (change.put) {
    case "promise":
    case "task":
      return change.record.dueAt;
    case "listener":
      return change.record.notifyAt;
    case "schedule":
      return change.record.nextRunAt;
    case "callback":
    case "resume":
      return undefined;
  }
}

function refusals(requests: readonly Request[], status: number, message: string): Refusal[] {
  return requests.map(({ kind, head }) => ({
    kind,
    head: { corrId: head.corrId, status, version: PROTOCOL_VERSION },
    data: message,
  }));
}

/** The answer to a step that could not be taken. */
function failure({ kind, head }: Step, error: unknown): Refusal {
  const corrId = head?.corrId ?? "0";
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof StoreUnavailableError ? 503 : 500;
  return {
    kind,
    head: { corrId, status, version: PROTOCOL_VERSION },
    data: `Internal error: ${message}`,
  };
}
