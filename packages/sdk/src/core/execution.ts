/**
 * One claimed task being run: from its claim to the end of each pass. Owns the root call, what all calls share,
 * and the decision how a pass ends.
 *
 * I1. A pass ends in exactly one of six ways: the promise is settled, the task is parked, the claim was lost,
 *     something other than the program's outcome went wrong (a fault), the program was told something that turned
 *     out otherwise (misled), or the process gave it up.
 * I2. Only a parked execution can go on later (it is warm), and only under the very next claim.
 * I3. After any other end nothing of it has an effect: no operation starts, nothing is recorded, and no block
 *     of the program hears of it, except through `signal`.
 * I4. A pass parks only when nothing here can move: every cell it started is parked or settled.
 */
import { originOf, type PromiseRecord, TAG } from "@resonate-ts/protocol";
import { isResonateError, LeaseLostError, ResonateError } from "../errors.ts";
import { Cell, type CellObserver } from "../future.ts";
import { GuessFailed, type Journal, type Recorded } from "../journal/journal.ts";
import { decodeRetryPolicy } from "../retry.ts";
import { attempt } from "./attempt.ts";
import { ChosenCells } from "./chosen-cells.ts";
import type { Host, Surroundings } from "./host.ts";
import { calleeOf } from "./resolve.ts";
import { Waits } from "./waits.ts";

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

/** How often a park may be answered with nothing new before it counts as a fault of the server. */
const FRUITLESS_MAX = 3;

/** How long an operation of a parked function waits before it is said why, in ms. */
const STALLED_MS = 1_000;

type GivenUp = Exclude<Ending, { kind: "settled" | "parked" }>;

export class Execution {
  readonly id: string;
  readonly #promise: PromiseRecord;
  readonly #journal: Journal;
  readonly #host: ExecutionHost;
  readonly #cell: Cell;
  readonly #waits = new Waits();
  #called = false;
  /** How often in a row the server had something to go on with, and it was nothing new. */
  #fruitless = 0;
  /** Whether a park has to name all that is waited for, because the server tells only of what is named. */
  readonly #nameAll: () => boolean;

  constructor(parts: {
    /** The task's own promise. */
    readonly promise: PromiseRecord;
    readonly journal: Journal;
    readonly surroundings: Surroundings;
    readonly nameAll: () => boolean;
  }) {
    this.#promise = parts.promise;
    this.id = parts.promise.id;
    this.#journal = parts.journal;
    this.#nameAll = parts.nameAll;
    this.#cell = new Cell(this.id);
    this.#host = new ExecutionHost(this.id, parts.journal, parts.surroundings, this.#waits);
    this.#cell.observe(this.#host);
  }

  /** How much it keeps in memory, about, in bytes. */
  get bytes(): number {
    return this.#journal.bytes;
  }

  /** Its function is registered here, and was called. */
  get called(): boolean {
    return this.#called;
  }

  /** It is letting go of its claim, and waits to hear whether it has. */
  get parking(): boolean {
    return this.#host.parking;
  }

  /** It is letting go of its claim, by parking or by its end. */
  get leaving(): boolean {
    return this.parking || this.#cell.phase === "settled";
  }

  /** The first pass: calls the function. Never rejects. */
  run(): Promise<Ending> {
    return this.#pass(async () => this.#call(await this.#journal.decode(this.#promise)));
  }

  /**
   * A later pass, under a new claim: goes on with what has settled since. What it waits for is read first with
   * `read`, or where the preload holds none of it. Never rejects.
   */
  resume(claim: {
    readonly version: number;
    readonly preload: readonly PromiseRecord[];
    readonly read: boolean;
  }): Promise<Ending> {
    this.#host.parking = false;
    return this.#pass(async () => {
      this.#journal.reopen(claim.version);
      const fed = await this.#feed(claim.preload);
      if (claim.read || fed === 0)
        await this.#feed(await this.#journal.read(this.#waits.pending()));
    });
  }

  /** Gives it up: forgets the program and fires its signal with `reason`. */
  drop(reason: unknown): void {
    this.#host.end({ kind: "dropped" }, reason);
  }

  async #pass(begin: () => void | Promise<void>): Promise<Ending> {
    try {
      await begin();
      for (;;) {
        await this.#host.standstill(this.#cell);
        if (this.#host.given) return this.#host.given;
        const { outcome } = this.#cell;
        if (outcome) return { kind: "settled", promise: await this.#journal.finish(outcome) };
        if (this.#cell.phase === "parked" && (await this.#park())) return { kind: "parked" };
      }
    } catch (error) {
      this.#host.fault(error);
      return this.#host.given ?? { kind: "fault", error };
    }
  }

  /** Whether the task is parked now; if not, something that it waits for has settled. */
  async #park(): Promise<boolean> {
    const named = this.#waits.named({ all: this.#nameAll() });
    const all = () => this.#waits.named({ all: true });
    const created = this.#host.created();
    this.#host.parking = true;
    // What a creation has found comes before what became of the suspend that was sent along with it.
    const settled = await this.#journal.suspend(named, all).finally(() => created);
    this.#host.parking = settled === undefined;
    if (this.#host.given) return false;
    if (!settled) {
      this.#waits.registered(named);
      return true;
    }
    this.#journal.reopen();
    const fed = await this.#feed(settled);
    const goesOn = () => fed > 0 || named.some((id) => !this.#waits.get(id));
    if (!goesOn()) await this.#feed(await this.#journal.read(named));
    // What is known here already may be shown once more, and then never again.
    this.#fruitless = goesOn() ? 0 : this.#fruitless + 1;
    if (this.#fruitless < FRUITLESS_MAX) return false;
    throw new ResonateError(
      "SERVER_INCONSISTENT",
      `The server says that something '${this.id}' waits for has settled, but shows all of it pending. The pass is tried again.`,
    );
  }

  /** Hands over what has settled; gives how much of it was waited for. */
  async #feed(promises: readonly PromiseRecord[]): Promise<number> {
    let fed = 0;
    for (const promise of promises) {
      const cell = promise.state === "pending" ? undefined : this.#waits.get(promise.id);
      if (!cell) continue;
      const decoded = this.#journal.outcomeOf(promise);
      const outcome = decoded instanceof Promise ? await decoded : decoded;
      if (!outcome || this.#host.given) continue;
      cell.settle(outcome);
      fed += 1;
    }
    return fed;
  }

  #call(root: Recorded): void {
    const { tags, timeoutAt } = root;
    const { func, args, version, retry } = invocationOf(root);
    const { registry } = this.#host;
    const callee = calleeOf(func, version, registry);
    this.#called = true;
    this.#host.func = callee.name;
    attempt(this.#host, {
      fn: callee.fn,
      args,
      retryPolicy: decodeRetryPolicy(retry),
      nonRetryableErrors: [],
      place: {
        id: this.id,
        originId: tags[TAG.origin] ?? originOf(this.id),
        parentId: tags[TAG.parent] ?? this.id,
        branchId: tags[TAG.branch] || this.id,
        timeoutAt,
        version: callee.version,
      },
      cell: this.#cell,
      done: (outcome) => this.#cell.settle(outcome),
    });
  }
}

/** What the calls of one execution share, and the one place where it ends. */
class ExecutionHost implements Host, CellObserver {
  readonly registry: Host["registry"];
  readonly clock: Host["clock"];
  readonly logger: Host["logger"];
  readonly dependencies: Host["dependencies"];
  readonly target: Host["target"];
  readonly timerTarget: Host["timerTarget"];
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
    this.target = (name) => surroundings.target(name);
    this.timerTarget = () => surroundings.timerTarget();
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

interface Invocation {
  readonly func: string;
  readonly args: readonly unknown[];
  readonly version: number;
  readonly retry: unknown;
}

/** What the param of a promise says to call. @throws ResonateError `VALUE_NOT_DECODABLE`. */
function invocationOf({ id, param }: Recorded): Invocation {
  const call = param?.value;
  if (typeof call === "object" && call !== null && "func" in call && "args" in call) {
    const { func, args } = call;
    const version = "version" in call ? call.version : 1;
    const retry = "retry" in call ? call.retry : undefined;
    if (typeof func === "string" && Array.isArray(args) && typeof version === "number") {
      return { func, args, version, retry };
    }
  }
  throw new ResonateError(
    "VALUE_NOT_DECODABLE",
    `The param of '${id}' does not say what to call: expected { func, args, version }. Create it with resonate.rpc, or put that into its param.`,
  );
}
