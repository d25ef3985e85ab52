/** What the calls of one execution share, and the one place where it ends. */
import type { PromiseRecord } from "@resonate-ts/protocol";
import { isResonateError, LeaseLostError } from "../errors.ts";
import type { Cell, CellObserver } from "../future.ts";
import { GuessFailed, type Journal } from "../journal/journal.ts";
import type { Trace } from "../tracing.ts";
import { ChosenCells } from "./chosen-cells.ts";
import type { Host, Surroundings } from "./host.ts";
import type { Waits } from "./waits.ts";

/** How long an operation of a parked function waits before it is said why, in ms. */
const STALLED_MS = 1_000;

/** How a pass ended. */
export type Ending =
  | { readonly kind: "settled"; readonly promise: PromiseRecord }
  /** It is warm: `resume` goes on with it. */
  | { readonly kind: "parked" }
  | { readonly kind: "lost" }
  | { readonly kind: "fault"; readonly error: unknown }
  /** The claim is still ours: the function has to be replayed from the record. */
  | { readonly kind: "misled" }
  | { readonly kind: "dropped" };

/** How it ended, where that was not the program's doing. */
type GivenUp = Exclude<Ending, { kind: "settled" | "parked" }>;

export class ExecutionHost implements Host, CellObserver {
  readonly registry: Host["registry"];
  readonly clock: Host["clock"];
  readonly logger: Host["logger"];
  readonly dependencies: Host["dependencies"];
  readonly invoke: Host["invoke"];
  readonly target: Host["target"];
  readonly timerTarget: Host["timerTarget"];
  readonly cancel: Host["cancel"];
  readonly listen: Host["listen"];
  readonly flavour: Host["flavour"];
  readonly dialect: Host["dialect"];
  readonly speculate: boolean;
  readonly journal: Journal;
  readonly chosen = new ChosenCells();
  given: GivenUp | undefined;
  /** The claim is being let go of, or is gone until the next one. */
  parking = false;
  /** The name of the function. */
  func = "";
  /** It has been said that it does something of its own while it is parked. */
  #warned = false;
  trace: Trace | undefined;
  readonly #id: string;
  readonly #waits: Waits;
  readonly #abort = new AbortController();
  readonly #timers = new Set<() => void>();
  /** The steps of a cascade that are still to be taken; present while one is under way. */
  #steps: (() => void)[] | undefined;
  #moved: () => void = () => {};
  /** Creations on their way whose promises count as parked. */
  readonly #creating = new Set<Promise<unknown>>();

  constructor(id: string, journal: Journal, surroundings: Surroundings, waits: Waits) {
    this.#id = id;
    this.#waits = waits;
    this.journal = journal;
    this.registry = surroundings.registry;
    this.clock = surroundings.clock;
    this.logger = surroundings.logger;
    this.dependencies = surroundings.dependencies;
    this.invoke = surroundings.invoke;
    this.target = (name) => surroundings.target(name);
    this.timerTarget = () => surroundings.timerTarget();
    this.dialect = surroundings.dialect;
    this.flavour = surroundings.flavour;
    this.listen = (id) => surroundings.listen(id);
    this.cancel = (id) => surroundings.cancel(id);
    this.speculate = surroundings.speculate;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): boolean {
    return this.given !== undefined;
  }

  fault(error: unknown): void {
    const reason = () => new LeaseLostError({ promiseId: this.#id, cause: error });
    if (isResonateError(error, "LEASE_LOST")) this.end({ kind: "lost" }, error);
    else if (error instanceof GuessFailed) this.end({ kind: "misled" }, reason());
    else this.end({ kind: "fault", error }, reason());
  }

  end(given: GivenUp, reason: unknown): void {
    if (this.given) return;
    this.given = given;
    this.journal.abandon();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#abort.abort(reason);
    this.#moved();
  }

  after(ms: number, callback: () => void): void {
    this.#timer((done) => this.clock.after(ms, done), callback);
  }

  background(ms: number, callback: () => void): () => void {
    return this.#timer((done) => this.clock.background(ms, done), callback);
  }

  #timer(start: (done: () => void) => () => void, callback: () => void): () => void {
    const stop = start(() => {
      this.#timers.delete(cancel);
      callback();
    });
    const cancel = () => {
      this.#timers.delete(cancel);
      stop();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  cascade(step: () => void): void {
    if (this.#steps) return void this.#steps.push(step);
    const steps = [step];
    this.#steps = steps;
    try {
      // The list grows while it is gone through.
      for (const next of steps) next();
    } finally {
      this.#steps = undefined;
    }
  }

  track(cell: Cell): void {
    this.#waits.track(cell);
  }

  asked(): void {
    if (!this.parking || this.#warned) return;
    this.#warned = true;
    this.background(STALLED_MS, () => {
      if (!this.parking) return;
      this.logger.warn(
        { id: this.#id, func: this.func },
        `'${this.#id}' (${this.func}) asked for something while it was waiting for another process, after I/O of its own; that is done only when what it waits for has settled. Put such I/O into a step: ctx.run(…).`,
      );
    });
  }

  creating(answer: Promise<unknown>): void {
    const answered = () => this.#creating.delete(answer);
    this.#creating.add(answer);
    answer.then(answered, answered);
  }

  /** Resolves when all creations that are on their way now, and whose promises count as parked, have been dealt with. */
  async created(): Promise<void> {
    await Promise.allSettled(this.#creating);
  }

  /** Resolves when the root has settled or is parked, or the execution has been given up. */
  standstill(root: Cell): Promise<void> {
    if (this.given || root.phase !== "running") return Promise.resolve();
    return new Promise((resolve) => {
      this.#moved = resolve;
    });
  }

  leaving(): void {}
  entered(root: Cell): void {
    if (root.phase !== "running") this.#moved();
  }
}
