/**
 * Takes tasks and runs them.
 *
 * I1. At most one execution of a task is held here at a time; an offer that comes meanwhile is looked at when it
 *     has ended.
 * I2. Whatever is held is kept alive by heartbeats until its ending has been dealt with.
 * I3. A parked execution goes on only under the claim right after its own; under any other it is forgotten and
 *     the function replays from the record.
 * I4. Offers may be dropped at any time: the server makes them again.
 */
import { isRefusal, isTimer, type PromiseRecord, type TaskRecord } from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { type Ending, Execution } from "../core/execution.ts";
import type { Surroundings } from "../core/host.ts";
import {
  isResonateError,
  LeaseLostError,
  PromiseCanceledError,
  PromiseTimedoutError,
  ResonateError,
} from "../errors.ts";
import { NetworkJournal } from "../journal/network-journal.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import { Faults } from "./faults.ts";
import { Heartbeats } from "./heartbeats.ts";
import { forget, type Warm, WarmExecutions } from "./warm.ts";

/** Most offers that wait for a free place; what is beyond is dropped, and the server makes it again. */
const OFFERS_MAX = 10_000;
/** How long stopping waits for what is held to be released, in ms. */
const STOP_MS = 1_000;

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
  readonly task: TaskRecord;
  readonly promise: PromiseRecord;
  readonly preload: readonly PromiseRecord[];
}

interface Offer {
  readonly id: string;
  readonly version: number;
}

interface Held extends Offer {
  readonly execution: Execution;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #held = new Map<string, Held>();
  /** Claims that have been asked for. */
  readonly #claiming = new Map<string, Promise<void>>();
  /** Offers that wait for a free place, the oldest first. */
  readonly #offers = new Map<string, Offer>();
  /** Offers of what is held. */
  readonly #again = new Map<string, Offer>();
  readonly #warm: WarmExecutions;
  readonly #heartbeats: Heartbeats;
  readonly #faults: Faults;
  readonly #cancels = new Set<() => void>();
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    const { network, pid, ttlMs, surroundings, warmExecutionsMax } = options;
    const { clock, logger } = surroundings;
    this.#options = options;
    this.#warm = new WarmExecutions(warmExecutionsMax);
    this.#faults = new Faults({ logger, clock });
    const held = () => [...this.#held.values()].map(({ id, version }) => ({ id, version }));
    this.#heartbeats = new Heartbeats({ network, clock, logger, pid, ttlMs, held });
  }

  /** Takes up an offer, now or when there is room. */
  offer(offer: Offer): void {
    const { id } = offer;
    if (this.#stopped || this.#faults.declines(id)) return;
    if (this.#held.has(id) || this.#claiming.has(id)) this.#again.set(id, offer);
    else if (this.#full()) this.#queue(offer);
    else this.#take(offer);
  }

  /** Runs a task that has been claimed already. */
  adopt(claimed: Claimed): void {
    const { id } = claimed.task;
    if (this.#stopped) {
      void this.#release(claimed.task);
      return;
    }
    const before = this.#held.get(id);
    before?.execution.drop(new LeaseLostError({ promiseId: id }));
    this.#begin(claimed, this.#warm.take(id), false);
  }

  /** A promise has settled. If its task runs here, that was somebody else's doing, and the work is in vain. */
  settled(promise: PromiseRecord): void {
    const { id } = promise;
    for (const { execution } of this.#held.values()) void execution.heard(promise);
    const reason = reasonOf(promise);
    this.#held.get(id)?.execution.drop(reason);
    this.#warm.take(id)?.execution.drop(reason);
  }

  /** Takes nothing more, fires the signals of what runs, and releases it, within a second. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { clock } = this.#options.surroundings;
    this.#heartbeats.stop();
    this.#offers.clear();
    this.#again.clear();
    this.#warm.clear();
    for (const cancel of this.#cancels) cancel();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const { id, execution } of held) execution.drop(stopping(id));
    const released = Promise.all([
      ...held.map((claim) => this.#release(claim)),
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

  #take(offer: Offer): void {
    const claiming = this.#claim(offer).catch((error: unknown) => {
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

  async #claim({ id, version }: Offer): Promise<void> {
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
    } else if (this.#stopped) await this.#release(response.data.task);
    else if (!isTimer(response.data.promise.tags)) this.#begin(response.data, warm, delta);
  }

  #begin({ task, promise, preload }: Claimed, warm: Warm | undefined, delta: boolean): void {
    const { id, version } = task;
    const { network, codec, surroundings } = this.#options;
    const goesOn = warm !== undefined && version === warm.version + 1;
    if (warm && !goesOn) forget(warm);
    const execution = goesOn
      ? warm.execution
      : new Execution({
          promise,
          journal: new NetworkJournal({ network, codec, task, preload }),
          surroundings,
          nameAll: () => !network.extensions.has("delta"),
        });
    const held: Held = { id, version, execution };
    this.#held.set(id, held);
    this.#heartbeats.start();
    const pass = goesOn ? execution.resume({ version, preload, read: !delta }) : execution.run();
    void pass.then((ending) => this.#ended(held, ending));
  }

  async #ended(held: Held, ending: Ending): Promise<void> {
    const { onSettled, onAway } = this.#options;
    if (this.#held.get(held.id) !== held) return; // Stopped: it has been dealt with.
    switch (ending.kind) {
      case "settled":
        this.#faults.clear(held.id);
        this.#let(held);
        onSettled(ending.promise);
        break;
      case "parked":
        this.#faults.clear(held.id);
        this.#let(held);
        this.#keep(held);
        onAway(held.id);
        break;
      case "fault":
        if (isMissing(ending.error)) this.#faults.decline(held.id, ending.error);
        else await this.#backOff(this.#faults.add(held.id, ending.error));
        if (this.#held.get(held.id) !== held) return;
        await this.#release(held);
        this.#let(held);
        onAway(held.id);
        break;
      case "lost":
      case "dropped":
        this.#let(held);
        onAway(held.id);
        break;
    }
    this.#next(held.id);
  }

  #let({ id }: Held): void {
    this.#held.delete(id);
  }

  #keep(warm: Warm): void {
    if (this.#stopped) forget(warm);
    else this.#warm.put(warm);
  }

  /** Something has ended: looks at what was offered meanwhile, of the same task first. */
  #next(id: string): void {
    if (this.#stopped || this.#held.has(id)) return;
    const again = this.#again.get(id);
    this.#again.delete(id);
    if (again) this.offer(again);
    for (const offer of this.#offers.values()) {
      if (this.#full()) return;
      this.#offers.delete(offer.id);
      this.offer(offer);
    }
  }

  #backOff(ms: number): Promise<void> {
    const { clock } = this.#options.surroundings;
    return new Promise((resolve) => {
      const done = () => {
        this.#cancels.delete(cancel);
        resolve();
      };
      const timer = clock.background(ms, done);
      const cancel = () => {
        timer();
        done();
      };
      this.#cancels.add(cancel);
    });
  }

  /** Gives a claim back. If that fails its lease runs out by itself. */
  async #release({ id, version }: Offer): Promise<void> {
    const { network, surroundings } = this.#options;
    try {
      await network.send(makeRequest("task.release", { id, version }));
    } catch (error) {
      surroundings.logger.debug({ id, error }, "A task could not be released.");
    }
  }
}

/** The function is not registered here. Others may have it, so the task is not kept from them. */
function isMissing(error: unknown): boolean {
  return (
    isResonateError(error, "FUNCTION_NOT_REGISTERED") ||
    isResonateError(error, "VERSION_NOT_REGISTERED")
  );
}

/** Why work on a promise that has settled is in vain. */
function reasonOf({ id: promiseId, state, timeoutAt }: PromiseRecord): ResonateError {
  if (state === "rejected_canceled") return new PromiseCanceledError({ promiseId });
  if (state === "rejected_timedout") return new PromiseTimedoutError({ promiseId, timeoutAt });
  return new LeaseLostError({ promiseId });
}

function stopping(id: string): ResonateError {
  return new ResonateError(
    "STOPPED",
    `This process stops; '${id}' goes on elsewhere, or when it is started again.`,
  );
}
