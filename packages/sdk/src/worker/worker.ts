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
import { type ExecuteMessage, isRefusal, isTimer, type PromiseRecord } from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { Execution } from "../core/execution.ts";
import type { Ending } from "../core/execution-host.ts";
import type { Surroundings } from "../core/host.ts";
import { LeaseLostError } from "../errors.ts";
import { NetworkJournal } from "../journal/network-journal.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import { readBranch } from "../network/recover.ts";
import { Announcer } from "./announcer.ts";
import { BegunClaims } from "./begun-claims.ts";
import type { Claimed, Given, Held, Offer } from "./claims.ts";
import { FAILURES_MAX, Faults, faultOf, type Measure } from "./faults.ts";
import { Handback } from "./handback.ts";
import { Heartbeats } from "./heartbeats.ts";
import { PutOff } from "./put-off.ts";
import { neverCertain, settledReason, stopping } from "./reasons.ts";
import { CALM_MS, SUSPECT_LOSSES, Suspects } from "./suspects.ts";
import { follows, forget, type Warm, WarmExecutions } from "./warm.ts";

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

export class Worker {
  readonly #options: WorkerOptions;
  readonly #held = new Map<string, Held>();
  /** Claims that have been asked for. */
  readonly #claiming = new Map<string, Promise<void>>();
  /** Offers that wait for a free place, the oldest first. */
  readonly #offers = new Map<string, Offer>();
  readonly #again = new PutOff();
  readonly #begun = new BegunClaims();
  readonly #warm: WarmExecutions;
  readonly #heartbeats: Heartbeats;
  readonly #announcer: Announcer;
  readonly #faults: Faults;
  readonly #handback: Handback;
  readonly #suspects: Suspects;
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
    this.#suspects = new Suspects({ clock, next: (offer) => this.#consider(offer) });
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
    if (this.#stopped || this.#faults.declines(id) || this.#suspects.keeps(offer)) return;
    if (this.#held.has(id) || this.#claiming.has(id)) this.#again.put(offer);
    else if (this.#full()) this.#queue(offer);
    else this.#claim(offer);
  }

  /** A promise has settled. If its task runs here, that was somebody else's doing, and the work is in vain. */
  settled(promise: PromiseRecord): void {
    const { id } = promise;
    for (const { execution } of this.#held.values()) void execution.heard(promise);
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
    const given = this.#again.clear();
    this.#warm.clear();
    this.#suspects.stop();
    this.#handback.cancel();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const claim of held) drop(claim, stopping(claim.id));
    const released = Promise.all([
      ...[...held, ...given].map((claim) => this.#handback.release(claim)),
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
    // A message may come twice, and late: what it would start anew is under way, or over.
    if (isTimer(promise.tags) || this.#begun.has(claimed)) return;
    const ending = held && (held.over || held.execution.parking);
    // What is held is being let go, and that is how it came to be given anew: it goes on when that is through.
    if (ending || this.#claiming.has(task.id)) this.#again.put(claimed);
    else if (this.#stopped || (!held && this.#full())) void this.#handback.release(task);
    else {
      this.#begin(claimed, this.#warm.take(task.id));
      this.#heartbeats.confirm(task);
    }
  }

  #begin(claimed: Given, warm: Warm | undefined): void {
    const { task, promise, preload, delta } = claimed;
    const { id, version } = task;
    const before = this.#held.get(id);
    if (before) drop(before, new LeaseLostError({ promiseId: id }));
    const losses = Math.max((task.failures ?? 0) - this.#begun.outlived(claimed), 0);
    const suspect = losses >= SUSPECT_LOSSES && losses < FAILURES_MAX;
    if (suspect && !this.#suspects.admit(id)) {
      this.#giveBack(task, warm);
      return;
    }
    this.#begun.add(claimed);
    const goesOn = warm !== undefined && follows(claimed, warm);
    if (warm && !goesOn) forget(warm);
    const execution = goesOn ? warm.execution : this.#execution({ task, promise, preload });
    const failures =
      task.failures ?? (this.#options.network.extensions.has("claim") ? 0 : undefined);
    const state = { failures, losses, replays: 0, dropped: false, over: false };
    const held: Held = { id, version, promise, execution, ...state };
    this.#held.set(id, held);
    this.#heartbeats.start();
    if (losses >= FAILURES_MAX) return void this.#quarantine(held, task.cause);
    const calm = suspect ? this.#handback.pause(CALM_MS) : undefined;
    void this.#first(held, { goesOn, preload, delta, calm }).then((ending) =>
      this.#ended(held, ending),
    );
  }

  /** Another suspect is on trial. */
  #giveBack({ id, version }: Offer, warm: Warm | undefined): void {
    if (warm) forget(warm);
    void this.#handback.release({ id, version });
    this.#options.onAway(id);
    if (this.#held.delete(id)) this.#next(id);
  }

  /** Whoever ran it before did not live to tell how it ended, too often: nobody is to try it again. */
  async #quarantine(held: Held, cause: string | undefined): Promise<void> {
    const { id, losses } = held;
    held.over = true;
    const error = new Error(
      cause ?? "The processes that ran it were lost, each time before it ended.",
    );
    await this.#takeMeasure(held, this.#faults.halt(id, { tries: losses, error }));
    if (this.#held.get(id) !== held) return;
    drop(held, new LeaseLostError({ promiseId: id }));
    this.#held.delete(held.id);
    this.#options.onAway(id);
    this.#next(id);
  }

  async #first(
    held: Held,
    how: {
      readonly goesOn: boolean;
      readonly preload: Claimed["preload"];
      readonly delta: boolean;
      readonly calm: Promise<void> | undefined;
    },
  ): Promise<Ending> {
    const { execution, version } = held;
    const { goesOn, preload, delta, calm } = how;
    if (calm) await calm;
    if (held.dropped) return { kind: "dropped" };
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
        task: { id: held.id, version: held.version },
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
        this.#verdict(held.id);
        this.#held.delete(held.id);
        onSettled(ending.promise);
        break;
      case "parked":
        this.#verdict(held.id);
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
    this.#suspects.over(held.id);
    this.#next(held.id);
  }

  #verdict(id: string): void {
    this.#faults.clear(id);
    this.#begun.verdict(id);
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

function drop(held: Held, reason: unknown): void {
  held.dropped = true;
  held.execution.drop(reason);
}
