/**
 * Starts the operations of one call.
 *
 * I1. Every durable operation takes one road: name it, create it through the journal, then recall it or do it.
 *     Names are given synchronously, in the order of the calls.
 * I2. In an execution that has been given up, and after the end of the call, no operation does anything or ever
 *     settles.
 */
import { isExternal, rootIdProblem, TAG, type Tags } from "@resonate-ts/protocol";
import { ResonateError } from "../errors.ts";
import { Cell, Future } from "../future.ts";
import type { Recorded } from "../journal/journal.ts";
import type { OptionFields } from "../options.ts";
import type { Host } from "./host.ts";
import { Ledger } from "./ledger.ts";
import { createRequest, nameOf, type Operation, type Place } from "./operations.ts";
import { checkRecorded, conflictOf } from "./replay.ts";
import { Stride } from "./stride.ts";

/** One operation on its way. */
export interface Start {
  readonly operation: Operation;
  readonly options: OptionFields;
  /** The id, where the program chose it. */
  readonly chosen?: string | undefined;
  /** Headers of its param. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called when its promise is on record. */
  readonly recorded?: () => void;
  /** Its place, where that was reserved; else the next one. */
  readonly seq?: number;
  /** Does the work here; without it, something outside has to. */
  readonly perform?: (cell: Cell, recorded: Recorded) => void;
}

export class Starter {
  readonly ledger = new Ledger();
  readonly stride: Stride;
  readonly #host: Host;
  readonly #place: Place;
  #seq = 0;
  #closed = false;
  #abandoned = false;

  constructor(host: Host, place: Place) {
    this.#host = host;
    this.#place = place;
    this.stride = new Stride(host.clock);
  }

  /** The call is over: operations that are asked for later are not done. */
  close(): void {
    this.#closed = true;
  }

  /** The call is in vain: operations that are asked for later are not done. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** The id of a promise at a place. */
  idAt(seq: number): string {
    return nameOf({ kind: "promise", data: undefined }, this.#place, seq);
  }

  /** Keeps places for operations that start later, or never, whatever else is started meanwhile; gives the first. */
  reserve(count: number): number {
    const first = this.#seq;
    this.#seq += count;
    return first;
  }

  /** Starts what `describe` says. What cannot be asked for at all ends the pass. */
  start(describe: () => Start): Future<never> {
    if (this.#abandoned || this.#host.ended) return never();
    if (this.#closed) {
      this.#warn();
      return never();
    }
    this.stride.asked();
    this.#host.asked();
    try {
      return this.#begin(describe());
    } catch (error) {
      this.#host.fault(error);
      return never();
    }
  }

  #begin(start: Start): Future<never> {
    const { operation, options, chosen, perform, seq = this.reserve(1) } = start;
    const attached = operation.kind !== "detached";
    const id =
      chosen === undefined ? nameOf(operation, this.#place, seq) : checkedId(chosen, operation);
    const strict = chosen !== undefined && options.onConflict === "error";
    const shared = chosen === undefined || strict ? undefined : this.#host.chosen.get(id);
    if (shared) return this.#share(shared, attached);
    const request = createRequest(operation, this.#place, {
      id,
      chosen: chosen !== undefined,
      now: this.#host.clock.now(),
      timeout: options.timeout,
      tags: options.tags,
      headers: start.headers,
    });
    const cell = new Cell(id, {
      joined: attached,
      cancelable: attached && chosen === undefined,
    });
    if (chosen !== undefined && !strict) this.#host.chosen.set(id, cell);
    this.ledger.add(cell);
    const creation = this.#host.journal.create(request);
    goOn(this.#host, creation, (recorded) => {
      this.#created(start, { cell, tags: request.tags, strict, recorded });
    });
    const external = isExternal(request.tags) && !perform;
    if (creation instanceof Promise && external && !strict) this.#parkAhead(cell, creation);
    return new Future(cell);
  }

  /** Its promise is on record: as it was asked for, or as it was before. */
  #created(
    start: Start,
    creation: {
      readonly cell: Cell;
      /** As asked for. */
      readonly tags: Tags;
      readonly strict: boolean;
      readonly recorded: Recorded;
    },
  ): void {
    const { cell, tags, strict, recorded } = creation;
    const { operation, options, chosen, perform } = start;
    const wanted = { ...operation, tags, versionAsked: (options.version ?? 0) > 0 };
    if (chosen === undefined) checkRecorded(wanted, recorded);
    start.recorded?.();
    const error = strict ? conflictOf(wanted, recorded) : undefined;
    if (error) cell.settle({ kind: "rejected", error });
    else if (!strict || !this.#follows(cell)) this.#recall(cell, recorded, perform);
  }

  /** What others have to settle will be parked when its creation is answered; so the two can travel together. */
  #parkAhead(cell: Cell, creation: Promise<Recorded>): void {
    // While the claim is let go of it is not sent, and a park that is asked for again must not name it.
    if (!this.#host.journal.together || this.#host.parking) return;
    this.#host.creating(creation);
    this.#host.track(cell);
    cell.park();
  }

  /** Somebody in this execution has asked for this id before. */
  #share(cell: Cell, attached: boolean): Future<never> {
    if (attached) cell.join();
    if (!cell.observedBy(this.ledger)) this.ledger.add(cell);
    return new Future(cell);
  }

  /** Whether somebody in this execution has what it asks for under way; if not, others may share this one from now on. */
  #follows(cell: Cell): boolean {
    const shared = this.#host.chosen.get(cell.id);
    if (!shared) {
      this.#host.chosen.set(cell.id, cell);
      return false;
    }
    const entered = () => (shared.phase === "parked" ? cell.park() : cell.unpark());
    shared.observe({ leaving() {}, entered });
    entered();
    shared.wait((outcome) => cell.settle(outcome));
    return true;
  }

  #recall(cell: Cell, recorded: Recorded, perform: Start["perform"]): void {
    if (recorded.outcome) cell.settle(recorded.outcome);
    else if (isExternal(recorded.tags)) {
      if (cell.phase === "parked") return;
      this.#host.track(cell);
      cell.park();
    } else this.#perform(recorded, perform && (() => perform(cell, recorded)));
  }

  #perform({ id, tags }: Recorded, perform: (() => void) | undefined): void {
    const caller = tags[TAG.caller];
    if (!perform) throw underWay(id, caller);
    if (caller !== undefined && caller !== this.#place.id) this.#takeOver(caller, id, perform);
    // Never in the same stack: a replay finds all promises of a deep tree on record at once.
    else goOn(this.#host, Promise.resolve(), perform);
  }

  /** A local call that another function started is ours only if that function runs under the same claim. */
  #takeOver(caller: string, id: string, perform: () => void): void {
    goOn(this.#host, this.#host.journal.read([caller]), ([found]) => {
      if (found?.tags[TAG.branch] !== this.#place.branchId) throw underWay(id, caller);
      perform();
    });
  }

  #warn(): void {
    const { id } = this.#place;
    this.#host.logger.warn(
      { id },
      `An operation was started on the context of '${id}' after its function had finished; it is not done. Wait for everything a function starts inside it.`,
    );
  }
}

/** Goes on with an answer of the journal, at once if it is there; what goes wrong ends the pass. */
export function goOn<A>(host: Host, answer: A | Promise<A>, next: (answer: A) => void): void {
  const guarded = (given: A) => {
    if (host.ended) return;
    try {
      next(given);
    } catch (error) {
      host.fault(error);
    }
  };
  if (answer instanceof Promise) answer.then(guarded, (error) => host.fault(error));
  else guarded(answer);
}

/** A future that nothing will ever settle. */
export function never(): Future<never> {
  return new Future(new Cell("never"));
}

/** A chosen id that comes from a registered `key` has not been checked yet. */
function checkedId(id: unknown, operation: Operation): string {
  const problem = typeof id === "string" ? rootIdProblem(id) : `it is ${typeof id}, not a string`;
  if (typeof id === "string" && !problem) return id;
  const of = "func" in operation ? ` of '${operation.func}'` : "";
  throw new ResonateError("ID_INVALID", `The id${of} cannot be used: ${problem}.`);
}

function underWay(id: string, caller: string | undefined): ResonateError {
  return new ResonateError(
    "ID_CONFLICT",
    `'${id}' is under way as a local call of '${caller ?? "another function"}', which nobody else can join. Use ctx.rpc with this id: only dispatched work is shared.`,
  );
}
