/**
 * Takes tasks and runs them.
 *
 * I1. At most one execution of a task is held here at a time; an offer that comes meanwhile is looked at when it
 *     has ended. Of two claims on one task the newer one counts.
 * I2. Whatever is held is kept alive by heartbeats until its ending has been dealt with.
 * I3. A parked execution goes on only under the claim right after its own; under any other it is forgotten and
 *     the function replays from the record.
 * I4. Offers may be dropped at any time: the server makes them again.
 */
import {
  type ExecuteMessage,
  isRefusal,
  isTimer,
  type PromiseRecord,
  type TaskRecord,
} from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { type Ending, Execution } from "../core/execution.ts";
import type { Surroundings } from "../core/host.ts";
import { LeaseLostError } from "../errors.ts";
import { NetworkJournal } from "../journal/network-journal.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import { readBranch } from "../network/recover.ts";
import { Announcer } from "./announcer.ts";
import { FAILURES_MAX, type Failed, Faults, type Measure } from "./faults.ts";
import { Handback } from "./handback.ts";
import { Heartbeats } from "./heartbeats.ts";
import { neverCertain, settledReason, stopping } from "./reasons.ts";
import { forget, type Warm, WarmExecutions } from "./warm.ts";

/** Most offers that wait for a free place; what is beyond is dropped, and the server makes it again. */
const OFFERS_MAX = 10_000;
/** How long stopping waits for what is held to be released, in ms. With what the network takes it is a second at most. */
const STOP_MS = 500;

/** How often a function is replayed under one claim because it was told something that turned out otherwise. */
const REPLAYS_MAX = 10;

export interface WorkerOptions {
  readonly network: Network;
  readonly codec: Codec;
  readonly surroundings: Surroundings;
  readonly pid: string;
  readonly ttlMs: number;
  readonly maxConcurrentTasks: number;
  readonly warmExecutionsMax: number;
  /** A task of this process has settled its promise. */
  readonly onSettled: (promise: PromiseRecord) => void;
  /** A task that ran here is out of our hands before it has settled. */
  readonly onAway: (id: string) => void;
}

/** A claim as the server grants it. */
export interface Claimed {
  readonly task: Pick<TaskRecord, "id" | "version" | "failures" | "cause">;
  readonly promise: PromiseRecord;
  readonly preload: readonly PromiseRecord[];
}

interface Offer {
  readonly id: string;
  readonly version: number;
}

/** A claim that the server took for us. */
interface Given extends Claimed {
  /** Its preload is what has settled since the task was last claimed. */
  readonly delta: boolean;
}

interface Held extends Offer {
  readonly promise: PromiseRecord;
  /** Another one when it is replayed under this claim. */
  execution: Execution;
  /** How many claims in a row had ended without a verdict before this one. */
  readonly failures: number;
  /** How often it has been replayed under this claim. */
  replays: number;
  /** Its execution has been given up. */
  dropped: boolean;
  /** Its pass is over, and what follows from that is under way. */
  over: boolean;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #held = new Map<string, Held>();
  /** Claims that have been asked for. */
  readonly #claiming = new Map<string, Promise<void>>();
  /** Offers that wait for a free place, the oldest first. */
  readonly #offers = new Map<string, Offer>();
  /** Offers, and claims given, of what is held. */
  readonly #again = new Map<string, Offer | Given>();
  readonly #warm: WarmExecutions;
  readonly #heartbeats: Heartbeats;
  readonly #announcer: Announcer;
  readonly #faults: Faults;
  readonly #handback: Handback;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    const { network, pid, ttlMs, surroundings, warmExecutionsMax } = options;
    const { clock, logger, registry } = surroundings;
    const slots = options.maxConcurrentTasks;
    this.#options = options;
    this.#announcer = new Announcer({ network, registry, clock, logger, pid, ttlMs, slots });
    this.#warm = new WarmExecutions(warmExecutionsMax);
    this.#faults = new Faults({ logger, clock });
    this.#handback = new Handback({ network, logger, clock });
    const held = () => [...this.#held.values()].map(({ id, version }) => ({ id, version }));
    const lost = (claim: Offer) => this.#lost(claim);
    this.#heartbeats = new Heartbeats({ network, clock, logger, pid, ttlMs, held, lost });
  }

  /** The stream of messages has been opened. */
  opened(): void {
    this.#announcer.opened();
  }

  /** A function has been registered. */
  registered(): void {
    this.#announcer.changed();
  }

  /** The server has a task for us, or somebody like us. */
  execute({ head, data }: ExecuteMessage): void {
    if ("promise" in data) this.#given({ ...data, delta: head["resonate:preload"] === "delta" });
    else this.#consider(data.task);
  }

  /** Runs a task that this process has created, and so claimed. */
  adopt(claimed: Claimed): void {
    const { id, version } = claimed.task;
    const held = this.#held.get(id);
    if (held && held.version >= version) return;
    if (this.#stopped) void this.#handback.release(claimed.task);
    else this.#begin({ ...claimed, delta: false }, this.#warm.take(id));
  }

  /** Takes up an offer, now or when there is room. */
  #consider(offer: Offer): void {
    const { id } = offer;
    if (this.#stopped || this.#faults.declines(id)) return;
    if (this.#held.has(id) || this.#claiming.has(id)) this.#again.set(id, offer);
    else if (this.#full()) this.#queue(offer);
    else this.#claim(offer);
  }

  /** A promise has settled. If its task runs here, that was somebody else's doing, and the work is in vain. */
  settled(promise: PromiseRecord): void {
    const { id } = promise;
    const reason = settledReason(promise);
    const held = this.#held.get(id);
    if (held) drop(held, reason);
    this.#warm.take(id)?.execution.drop(reason);
  }

  /** Takes nothing more, fires the signals of what runs, and releases it, within half a second. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { clock } = this.#options.surroundings;
    this.#announcer.stop();
    this.#heartbeats.stop();
    this.#offers.clear();
    this.#again.clear();
    this.#warm.clear();
    this.#handback.cancel();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const claim of held) drop(claim, stopping(claim.id));
    const released = Promise.all([
      ...held.map((claim) => this.#handback.release(claim)),
      ...this.#claiming.values(),
    ]);
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(STOP_MS, late.resolve);
    await Promise.race([released, late.promise]);
    cancel();
  }

  #full(): boolean {
    return this.#held.size + this.#claiming.size >= this.#options.maxConcurrentTasks;
  }

  #queue(offer: Offer): void {
    if (this.#offers.size < OFFERS_MAX || this.#offers.has(offer.id)) {
      this.#offers.set(offer.id, offer);
      return;
    }
    this.#options.surroundings.logger.debug(
      { id: offer.id },
      "An offered task was not taken: too many wait already. It will be offered again.",
    );
  }

  #claim(offer: Offer): void {
    const claiming = this.#acquire(offer).catch((error: unknown) => {
      const { logger } = this.#options.surroundings;
      logger.warn({ id: offer.id, error }, "A task could not be claimed.");
    });
    this.#claiming.set(
      offer.id,
      claiming.then(() => {
        this.#claiming.delete(offer.id);
        this.#next(offer.id);
      }),
    );
  }

  async #acquire({ id, version }: Offer): Promise<void> {
    const { network, pid, ttlMs } = this.#options;
    const warm = this.#warm.take(id);
    const delta = warm?.version === version && network.extensions.has("delta");
    const head = delta ? ({ "resonate:preload": "delta" } as const) : {};
    const data = { id, version, pid, ttl: ttlMs };
    const request = makeRequest("task.acquire", data, head);
    const response = await network.send(request).catch((error: unknown) => {
      if (warm) this.#keep(warm);
      throw error;
    });
    if (isRefusal(response)) {
      // Somebody else was faster, or it is over: both are normal.
      if (warm && response.head.status !== 404) this.#keep(warm);
    } else if (this.#stopped) await this.#handback.release(response.data.task);
    else if (!isTimer(response.data.promise.tags)) this.#begin({ ...response.data, delta }, warm);
  }

  /** A claim came unasked. Of two claims on one task the newer one counts; one that is of no use is given back. */
  #given(claimed: Given): void {
    const { task, promise } = claimed;
    const held = this.#held.get(task.id);
    if (isTimer(promise.tags) || (held && held.version >= task.version)) return;
    const ending = held && (held.over || held.execution.parking);
    // What is held is being let go, and that is how it came to be given anew: it goes on when that is through.
    if (ending || this.#claiming.has(task.id)) this.#again.set(task.id, claimed);
    else if (this.#stopped || (!held && this.#full())) void this.#handback.release(task);
    else {
      this.#begin(claimed, this.#warm.take(task.id));
      this.#heartbeats.confirm(task);
    }
  }

  #begin({ task, promise, preload, delta }: Given, warm: Warm | undefined): void {
    const { id, version } = task;
    const before = this.#held.get(id);
    if (before) drop(before, new LeaseLostError({ promiseId: id }));
    const goesOn = warm !== undefined && version === warm.version + 1;
    if (warm && !goesOn) forget(warm);
    const execution = goesOn ? warm.execution : this.#execution({ task, promise, preload });
    const state = { failures: task.failures ?? 0, replays: 0, dropped: false, over: false };
    const held: Held = { id, version, promise, execution, ...state };
    this.#held.set(id, held);
    this.#heartbeats.start();
    if (held.failures >= FAILURES_MAX) return void this.#quarantine(held, task.cause);
    void this.#first(held, { goesOn, preload, delta }).then((ending) => this.#ended(held, ending));
  }

  /** Whoever ran it before did not live to tell how it ended, too often: nobody is to try it again. */
  async #quarantine(held: Held, cause: string | undefined): Promise<void> {
    const { id, failures } = held;
    held.over = true;
    const error = new Error(
      cause ?? "The processes that ran it were lost, each time before it ended.",
    );
    await this.#takeMeasure(held, this.#faults.halt(id, { tries: failures, error }));
    if (this.#held.get(id) !== held) return;
    drop(held, new LeaseLostError({ promiseId: id }));
    this.#held.delete(held.id);
    this.#options.onAway(id);
    this.#next(id);
  }

  #first(
    held: Held,
    how: {
      readonly goesOn: boolean;
      readonly preload: Claimed["preload"];
      readonly delta: boolean;
    },
  ): Promise<Ending> {
    const { execution, version } = held;
    const { goesOn, preload, delta } = how;
    if (goesOn) return execution.resume({ version, preload, read: !delta });
    // What has settled lately is not enough for an execution that starts from the top.
    return delta ? this.#replay(held) : execution.run();
  }

  #execution({ task, promise, preload }: Claimed): Execution {
    const { network, codec, surroundings } = this.#options;
    return new Execution({
      promise,
      journal: new NetworkJournal({ network, codec, task, preload }),
      surroundings,
      nameAll: () => !network.extensions.has("delta"),
    });
  }

  /** Runs a function from the top under the claim that it has: what it was told is not what is on record. */
  async #replay(held: Held): Promise<Ending> {
    const { network } = this.#options;
    held.replays += 1;
    if (held.replays > REPLAYS_MAX) return { kind: "fault", error: neverCertain(held.id) };
    try {
      const preload = await readBranch(held.promise, (request) => network.send(request));
      if (held.dropped) return { kind: "dropped" };
      held.execution = this.#execution({
        task: held,
        promise: held.promise,
        preload: preload ?? [],
      });
      return await held.execution.run();
    } catch (error) {
      return { kind: "fault", error };
    }
  }

  async #ended(held: Held, ending: Ending): Promise<void> {
    const { onSettled, onAway } = this.#options;
    if (this.#held.get(held.id) !== held) return; // Stopped, or claimed anew: it has been dealt with.
    held.over = ending.kind !== "misled";
    switch (ending.kind) {
      case "settled":
        this.#faults.clear(held.id);
        this.#held.delete(held.id);
        onSettled(ending.promise);
        break;
      case "parked":
        this.#faults.clear(held.id);
        this.#held.delete(held.id);
        this.#keep(held);
        onAway(held.id);
        break;
      case "fault":
        await this.#takeMeasure(held, this.#faults.measure(faultOf(held, ending.error)));
        if (this.#held.get(held.id) !== held) return;
        this.#held.delete(held.id);
        onAway(held.id);
        break;
      case "misled":
        await this.#ended(held, await this.#replay(held));
        return;
      case "lost":
      case "dropped":
        this.#held.delete(held.id);
        onAway(held.id);
        break;
    }
    this.#next(held.id);
  }

  async #takeMeasure(held: Held, measure: Measure): Promise<void> {
    if (measure.kind === "halt") return this.#handback.halt(held, measure.cause);
    if (measure.delayMs > 0) await this.#handback.pause(measure.delayMs);
    if (this.#held.get(held.id) === held) await this.#handback.release(held, measure.cause);
  }

  #lost({ id, version }: Offer): void {
    const held = this.#held.get(id);
    // Parking and settling let go of a claim too; their answers say so.
    if (held?.version !== version || held.over || held.execution.leaving) return;
    drop(held, new LeaseLostError({ promiseId: id }));
  }

  #keep(warm: Warm): void {
    if (this.#stopped) forget(warm);
    else this.#warm.put(warm);
  }

  /** Something has ended: looks at what was offered meanwhile, of the same task first. */
  #next(id: string): void {
    if (this.#stopped) return;
    const again = this.#again.get(id);
    if (again && ("task" in again || !this.#held.has(id))) {
      this.#again.delete(id);
      if ("task" in again) this.#given(again);
      else this.#consider(again);
    }
    for (const offer of this.#offers.values()) {
      if (this.#full()) return;
      this.#offers.delete(offer.id);
      this.#consider(offer);
    }
  }
}

function faultOf({ id, failures, execution }: Held, error: unknown): Failed {
  return { id, error, failures, called: execution.called };
}

function drop(held: Held, reason: unknown): void {
  held.dropped = true;
  held.execution.drop(reason);
}
