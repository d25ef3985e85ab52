/**
 * One commit for all that waits.
 *
 * I1. Nothing of a transaction is answered or delivered before the transaction is durable.
 * I2. One transaction at a time; what arrives meanwhile shares the next one.
 * I3. After an outcome that cannot be known no further step is taken: whoever starts next reads the disk.
 */
import { PROTOCOL_VERSION, type Refusal, type Response } from "@resonate-ts/protocol";
import type { Logger } from "../logger.ts";
import { CommitUnknownError, StoreUnavailableError, StoreUnknownError } from "../stores/store.ts";
import type { Budgeted } from "./reply-budget.ts";

/** Most requests that may wait. Beyond it they are refused with 503 and nothing is lost. */
const WAITING_MAX = 100_000;
/** Heartbeats may wait where nothing else may any more; they are refused too when there are far more than workers. */
const WAITING_WITH_HEARTBEATS_MAX = 150_000;
/** Most requests of one commit; what is beyond goes into the next. */
const COMMIT_STEPS_MAX = 1_024;

/** One per step, in order; a step of the server's own has an answer only when it could not be taken. */
export type Answers = readonly (Response | Refusal)[];

/** A transaction that is durable. */
export interface Performed {
  /** One per step, in order; `undefined` for a step that is no request. */
  readonly answers: readonly (Response | Refusal | undefined)[];
  /** Lets out what follows. Called once the answers have been given. */
  deliver(): void;
}

interface CommitsOptions {
  /** Takes steps in one transaction. */
  readonly perform: (steps: readonly Budgeted[]) => Promise<Performed>;
  /** Takes what is due, by `take`. Called between two commits, after `wake`. */
  readonly takeDue: () => Promise<void>;
  /** Nothing more is written. */
  readonly failed: (error: unknown) => void;
  readonly logger: Logger;
}

interface Named {
  readonly kind: string;
}

interface Entry {
  readonly steps: readonly Budgeted[];
  resolve(answers: Answers): void;
}

export class Commits {
  readonly #options: CommitsOptions;
  readonly #queue: Entry[] = [];
  /** Steps in `#queue`. */
  #waiting = 0;
  #running: Promise<void> | undefined;
  #due = false;
  /** Set when nothing is written any more: why. */
  #stopped: { readonly cause: unknown } | undefined;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Whether these may not wait, because so many do. */
  full(steps: readonly Named[]): boolean {
    const most = areHeartbeats(steps) ? WAITING_WITH_HEARTBEATS_MAX : WAITING_MAX;
    return this.#waiting + steps.length > most;
  }

  /** Takes steps in order, with the next commit that has room; heartbeats before all that wait. */
  submit(steps: readonly Budgeted[]): Promise<Answers> {
    return new Promise((resolve) => {
      // Where much waits, a worker must not lose its leases because of it: it would only become more.
      if (areHeartbeats(steps)) this.#queue.unshift({ steps, resolve });
      else this.#queue.push({ steps, resolve });
      this.#waiting += steps.length;
      this.#run();
    });
  }

  /** Takes steps in a commit of their own, now. Only for `takeDue`. */
  async take(steps: readonly Budgeted[]): Promise<Answers> {
    const { promise, resolve } = Promise.withResolvers<Answers>();
    await this.#commit([{ steps, resolve }]);
    return promise;
  }

  /** Something is due. */
  wake(): void {
    this.#due = true;
    this.#run();
  }

  /** Waits for what has been accepted. Nothing that falls due is taken any more. */
  async finish(): Promise<void> {
    this.#due = false;
    while (this.#running) await this.#running;
  }

  /** The disk is in a state that only a new start can read: every answer is "unknown", and nothing more is done. */
  stop(cause: unknown): void {
    this.#stop([], cause);
  }

  /** Starts committing, unless it is under way; a turn later, so that what arrives together goes together. */
  #run(): void {
    this.#running ??= turn()
      .then(() => this.#drain())
      .catch((error) => this.#stop([], error))
      .finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0 && !this.#stopped) this.#run();
      });
  }

  async #drain(): Promise<void> {
    while (!this.#stopped && (this.#queue.length > 0 || this.#due)) {
      if (this.#due) {
        this.#due = false;
        await this.#options.takeDue();
      }
      const entries = this.#next();
      if (entries.length > 0) await this.#commit(entries);
      // Callers in this process that ask again at once must not keep timers and I/O waiting.
      if (this.#queue.length > 0) await turn();
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
    if (this.#stopped) return this.#stop(entries, this.#stopped.cause);
    let performed: Performed;
    try {
      performed = await this.#options.perform(entries.flatMap(({ steps }) => steps));
    } catch (error) {
      return this.#commitFailed(entries, error);
    }
    let from = 0;
    for (const { steps, resolve } of entries) {
      const answers = performed.answers.slice(from, from + steps.length);
      from += steps.length;
      resolve(answers as Answers); // Requests are answered; whoever takes other steps looks for refusals only.
    }
    performed.deliver();
  }

  async #commitFailed(entries: readonly Entry[], error: unknown): Promise<void> {
    if (error instanceof StoreUnknownError) return this.#stop(entries, error);
    if (error instanceof CommitUnknownError) {
      this.#options.logger.error({ error }, "what became of a transaction is not known");
      return refuse(entries, error);
    }
    this.#options.logger.error({ error }, "a transaction was rolled back");
    const [only] = entries;
    // A step that breaks must not take others with it: each is tried alone.
    if (entries.length > 1) {
      for (const entry of entries) await this.#commit([entry]);
    } else if (only && only.steps.length > 1) {
      const answers: (Response | Refusal)[] = [];
      for (const step of only.steps) {
        answers.push(...(await this.take([step])));
        step.budget?.keep();
      }
      only.resolve(answers);
    } else if (only) {
      only.resolve(only.steps.map((step) => failure(step, error)));
    }
  }

  #stop(entries: readonly Entry[], cause: unknown): void {
    const first = this.#stopped === undefined;
    this.#stopped ??= { cause };
    refuse([...entries, ...this.#queue.splice(0)], cause);
    this.#waiting = 0;
    if (first) this.#options.failed(cause);
  }
}

function areHeartbeats(steps: readonly Named[]): boolean {
  return steps.every(({ kind }) => kind === "task.heartbeat");
}

/** What is ready in this turn of the event loop goes on before this does. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function refuse(entries: readonly Entry[], error: unknown): void {
  for (const { steps, resolve } of entries) resolve(steps.map((step) => failure(step, error)));
}

/** The answer to a step that could not be taken. */
function failure({ kind, head }: Budgeted, error: unknown): Refusal {
  const corrId = head?.corrId ?? "0";
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof StoreUnavailableError ? 503 : 500;
  return {
    kind,
    head: { corrId, status, version: PROTOCOL_VERSION },
    data: `Internal error: ${message}`,
  };
}
