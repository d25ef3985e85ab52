/**
 * Runs one durable function to its end. The only file that knows its style.
 *
 * I1. A call is parked exactly when nothing it started is running here and it waits for something parked.
 *     A generator hands over what it waits for. An async function does not, so it is inferred: one whole turn
 *     of the event loop passes in which nothing changes, while something it waits for is parked and nothing it
 *     started is running. While nothing is parked it may do I/O of its own for as long as it likes.
 * I2. A call has finished when it has returned or thrown and all that it started and must join has settled.
 * I3. Nothing is ever thrown into, or returned from, a call from outside: one that is given up is forgotten,
 *     so its `catch` and `finally` blocks see no failure of the platform.
 */
import { ResonateError } from "../errors.ts";
import { Begun, type Cell, type CellObserver, cellOf, Future, type Settled } from "../future.ts";
import type { Ledger } from "./ledger.ts";

/** Hears how a call goes. */
export interface DriveReport {
  /** Nothing here can move it. */
  parked(): void;
  /** It moves again. */
  running(): void;
  /** It asked for what nobody can do. It is left where it is, and this is the last report. */
  broken(error: ResonateError): void;
  /** The last report. */
  finished(outcome: Settled, style: Style): void;
}

export type Style = "plain" | "async" | "generator";

/** Calls a function and drives what it returns. `turn` as in `Clock`. */
export function drive(
  call: () => unknown,
  parts: {
    readonly ledger: Ledger;
    readonly turn: (callback: () => void) => void;
    readonly report: DriveReport;
    /** Told before the first line of a generator runs. */
    readonly isGenerator?: () => void;
  },
): void {
  const driver = new Driver(parts.ledger, parts.turn, parts.report);
  const outcome = tried(call);
  const returned = outcome.kind === "resolved" ? outcome.value : undefined;
  if (isGenerator(returned)) {
    parts.isGenerator?.();
    driver.generator(returned);
  } else if (isThenable(returned)) driver.thenable(returned);
  else driver.returned(outcome);
}

type Body = Generator<unknown, unknown, unknown>;

class Driver implements CellObserver {
  readonly #ledger: Ledger;
  readonly #turn: (callback: () => void) => void;
  readonly #report: DriveReport;
  #style: Style = "plain";
  /** What a generator waits for. */
  #waiting: Cell | undefined;
  /** How the body ended. */
  #outcome: Settled | undefined;
  /** The body ended before all that it started had. */
  #leftBehind = false;
  #parked = false;
  #parkedAtChange = -1;
  #watching = false;
  #finished = false;

  constructor(ledger: Ledger, turn: (callback: () => void) => void, report: DriveReport) {
    this.#ledger = ledger;
    this.#turn = turn;
    this.#report = report;
    ledger.changed = () => this.#review();
  }

  generator(body: Body): void {
    this.#style = "generator";
    this.#advance(body, { kind: "resolved", value: undefined });
  }

  thenable(body: PromiseLike<unknown>): void {
    this.#style = "async";
    // A thenable of the program's own may throw, or call back twice.
    Promise.resolve(body).then(
      (value) => this.returned({ kind: "resolved", value }),
      (error: unknown) => this.returned({ kind: "rejected", error }),
    );
    this.#review();
  }

  returned(outcome: Settled): void {
    this.#outcome = outcome;
    this.#leftBehind = this.#ledger.running + this.#ledger.joined > 0;
    this.#review();
  }

  /** A cell that this call waits for but did not start. */
  leaving(): void {}
  entered(): void {
    this.#review();
  }

  /** Goes on until the generator ends or waits for something that is not there yet. */
  #advance(body: Body, input: Settled): void {
    let fed: Settled | undefined = input;
    while (fed) {
      const turn = step(body, fed);
      if (turn.kind === "rejected") {
        this.returned(turn);
        return;
      }
      const { done, value } = turn.value;
      if (done) this.#ended(value);
      fed = done ? undefined : this.#answer(value, (outcome) => this.#advance(body, outcome));
    }
  }

  /** What to answer to what a generator yielded; nothing if it has to wait: `later` is called then. */
  #answer(yielded: unknown, later: (outcome: Settled) => void): Settled | undefined {
    if (yielded instanceof Begun) return { kind: "resolved", value: yielded.future };
    if (!(yielded instanceof Future)) {
      this.#finished = true;
      this.#report.broken(notYieldable(yielded));
      return undefined;
    }
    const cell = cellOf(yielded);
    if (!cell.outcome) this.#waitFor(cell, later);
    return cell.outcome;
  }

  #ended(value: unknown): void {
    const future = value instanceof Begun ? value.future : value;
    if (future instanceof Future) this.#waitFor(cellOf(future), (end) => this.returned(end));
    else this.returned({ kind: "resolved", value });
  }

  #waitFor(cell: Cell, then: (outcome: Settled) => void): void {
    this.#waiting = cell;
    if (!cell.observedBy(this.#ledger) && !cell.observedBy(this)) cell.observe(this);
    cell.wait((outcome) => {
      this.#waiting = undefined;
      then(outcome);
    });
    this.#review();
  }

  #review(): void {
    if (this.#finished) return;
    if (this.#ledger.running > 0) this.#run();
    else if (this.#outcome) this.#conclude(this.#outcome);
    else if (this.#style !== "generator") this.#infer();
    else if (this.#waiting?.phase === "parked") this.#park();
    else this.#run();
  }

  #conclude(outcome: Settled): void {
    if (this.#ledger.joined > 0) {
      this.#park();
      return;
    }
    this.#run();
    // An async body may have left a helper of its own behind that waits for what has just settled.
    const mayGoOn = this.#style === "async" && this.#leftBehind;
    if (mayGoOn) this.#afterQuietTurn(() => this.#finish(outcome));
    else this.#finish(outcome);
  }

  #finish(outcome: Settled): void {
    this.#finished = true;
    this.#report.finished(outcome, this.#style);
  }

  #infer(): void {
    if (this.#parked && this.#parkedAtChange === this.#ledger.changes) return;
    this.#run();
    if (this.#ledger.awaited > 0) this.#afterQuietTurn(() => this.#park());
  }

  /** Does `then` if a turn passes without any change; else looks again. */
  #afterQuietTurn(then: () => void): void {
    if (this.#watching) return;
    this.#watching = true;
    const { changes } = this.#ledger;
    const ended = this.#outcome;
    this.#turn(() => {
      this.#watching = false;
      if (this.#finished) return;
      if (changes === this.#ledger.changes && ended === this.#outcome) then();
      else this.#review();
    });
  }

  #park(): void {
    this.#parkedAtChange = this.#ledger.changes;
    if (this.#parked) return;
    this.#parked = true;
    this.#report.parked();
  }

  #run(): void {
    if (!this.#parked) return;
    this.#parked = false;
    this.#report.running();
  }
}

/** Feeds a generator an outcome; gives what it yielded or returned, or what it threw. */
function step(body: Body, fed: Settled): Settled<IteratorResult<unknown, unknown>> {
  return tried(() => (fed.kind === "resolved" ? body.next(fed.value) : body.throw(fed.error)));
}

/** Calls, and takes what comes for an outcome. */
function tried<T>(call: () => T): Settled<T> {
  try {
    return { kind: "resolved", value: call() };
  } catch (error) {
    return { kind: "rejected", error };
  }
}

function isGenerator(value: unknown): value is Body {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.iterator in value &&
    "next" in value &&
    "throw" in value &&
    typeof value.throw === "function"
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

function notYieldable(value: unknown): ResonateError {
  return new ResonateError(
    "ARGUMENT_INVALID",
    `A durable generator can only yield what ctx gives it, such as ctx.run(…); it yielded ${typeof value === "object" ? Object.prototype.toString.call(value) : typeof value}. Use 'await' in an async function for anything else.`,
  );
}
