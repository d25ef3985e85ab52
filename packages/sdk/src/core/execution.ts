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
import { ResonateError } from "../errors.ts";
import { Cell } from "../future.ts";
import type { Journal, Recorded } from "../journal/journal.ts";
import { decodeRetryPolicy } from "../retry.ts";
import { tracePass } from "../tracing.ts";
import { attempt } from "./attempt.ts";
import { type Ending, ExecutionHost } from "./execution-host.ts";
import type { Surroundings } from "./host.ts";
import { calleeOf } from "./resolve.ts";
import { Waits } from "./waits.ts";

/** How often a park may be answered with nothing new before it counts as a fault of the server. */
const FRUITLESS_MAX = 3;
/** How long a pass goes on, in ms, before it asks to be told of what it waits for from outside. */
const LISTEN_MS = 20;

export class Execution {
  readonly id: string;
  readonly #promise: PromiseRecord;
  readonly #journal: Journal;
  readonly #host: ExecutionHost;
  readonly #cell: Cell;
  readonly #waits = new Waits();
  readonly #listened = new Set<string>();
  #listening = false;
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
    this.#waits.asked = () => this.#listenSoon();
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
      this.#listenSoon();
      const fed = await this.#feed(claim.preload);
      const unsure = claim.read ? this.#waits.pending() : fed === 0 ? this.#waits.some() : [];
      await this.#feed(await this.#journal.read(unsure));
    });
  }

  /** A promise has settled while others still run here. When nothing does, the server wakes the task for it. */
  async heard(promise: PromiseRecord): Promise<void> {
    const waiting = this.#waits.get(promise.id);
    if (!waiting || promise.state === "pending") return;
    try {
      const outcome = await this.#journal.outcomeOf(promise);
      if (outcome && !this.#host.given && this.#cell.phase === "running") waiting.settle(outcome);
    } catch (error) {
      this.#host.fault(error);
    }
  }

  /** Gives it up: forgets the program and fires its signal with `reason`. */
  drop(reason: unknown): void {
    this.#host.end({ kind: "dropped" }, reason);
  }

  /**
   * A task that is held is not woken. So a pass that goes on while something parked is waited for (a race of a step
   * with a timer) asks to be told of it.
   */
  #listenSoon(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#host.after(LISTEN_MS, () => {
      this.#listening = false;
      if (this.#cell.phase !== "running") return;
      for (const id of this.#waits.awaited()) if (!this.#listened.has(id)) this.#listen(id);
    });
  }

  #listen(id: string): void {
    this.#listened.add(id);
    // Without an answer it is found when nothing runs here any more, or at the latest when it is replayed.
    this.#host.listen(id).then(
      (promise) => this.heard(promise),
      () => this.#listened.delete(id),
    );
  }

  async #pass(begin: () => void | Promise<void>): Promise<Ending> {
    const trace = tracePass({ id: this.id, headers: this.#promise.param.headers });
    this.#host.trace = trace;
    const ending = await trace.run(() => this.#drive(begin));
    trace.end(ending.kind === "fault" ? ending : undefined);
    return ending;
  }

  async #drive(begin: () => void | Promise<void>): Promise<Ending> {
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
    // What was waited for may have been found settled by its creation meanwhile.
    const all = () => {
      const waited = this.#waits.named({ all: true });
      return waited.length > 0 ? waited : named;
    };
    const created = this.#host.created();
    this.#host.parking = true;
    // What a creation has found comes before what became of the suspend that was sent along with it.
    const registered = (ids: readonly string[]) => this.#waits.registered(ids);
    const settled = await this.#journal.suspend(named, all, registered).finally(() => created);
    this.#host.parking = settled === undefined;
    if (this.#host.given) return false;
    if (!settled) {
      registered(named);
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
        prefixId: tags[TAG.prefix] ?? (this.#host.dialect === "dots" ? this.id : undefined),
        timeoutAt,
        version: callee.version,
        func: callee.name,
      },
      cell: this.#cell,
      done: (outcome) => this.#cell.settle(outcome),
    });
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
