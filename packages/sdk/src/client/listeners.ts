/**
 * Waits for promises to settle.
 *
 * I1. What is waited for is asked for again every minute and whenever the stream of messages opens, so that a
 *     message that is lost delays nothing for longer than that.
 * I2. While something is waited for the process stays alive; afterwards nothing here keeps it.
 * I3. Of each promise one question at a time is on its way, however long the server is away.
 */
import { isRefusal, type PromiseRecord, type Refusal } from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import { ResonateError, ServerRefusedError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";

/** How often listeners are registered again, in ms. */
const REFRESH_MS = 60_000;
/** How soon after a server could not be asked it is asked again, in ms. */
const AGAIN_MS = 5_000;
/** How a promise is polled that the server lets nobody listen to: from this often to this often, in ms. */
const POLL_MS_FIRST = 100;
const POLL_MS_MAX = 5_000;

interface Entry {
  readonly settled: Promise<PromiseRecord>;
  readonly resolve: (promise: PromiseRecord) => void;
  readonly reject: (error: unknown) => void;
  /** This process will say when it has settled, or when it is out of its hands. */
  local: boolean;
  /** A question about it is on its way. */
  asking: boolean;
  /** It was to be asked again meanwhile. */
  again: boolean;
}

export class Listeners {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(parts: {
    readonly network: Network;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#network = parts.network;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /**
   * The promise, once it has settled. `local`: it runs in this process, which tells when it has settled or is out
   * of its hands. Rejects with `ServerRefusedError` when nobody may wait for it, and with `STOPPED` after `stop`.
   * Safe to call again.
   */
  wait(id: string, { local }: { readonly local: boolean }): Promise<PromiseRecord> {
    const found = this.#entries.get(id);
    if (found) return found.settled;
    const { promise: settled, resolve, reject } = Promise.withResolvers<PromiseRecord>();
    settled.catch(() => {}); // Whoever asked for the result has a handler of its own.
    if (this.#stopped) {
      reject(stopped(id));
      return settled;
    }
    this.#entries.set(id, { settled, resolve, reject, local, asking: false, again: false });
    this.#keepAlive();
    if (!local) void this.#register(id);
    return settled;
  }

  /** A promise has settled; safe to tell more than once. */
  settled(promise: PromiseRecord): void {
    const entry = promise.state === "pending" ? undefined : this.#entries.get(promise.id);
    if (!entry) return;
    this.#forget(promise.id);
    entry.resolve(promise);
  }

  /** What ran here has left our hands. */
  away(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry?.local) return;
    entry.local = false;
    void this.#register(id);
  }

  /** Registers everything again. */
  refresh(): void {
    for (const [id, entry] of this.#entries) {
      // What is on its way may have been answered before the stream opened, so it is asked once more.
      if (entry.asking) entry.again = true;
      else if (!entry.local) void this.#register(id);
    }
  }

  /** Waits no longer: what has not settled stays pending here. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#entries.clear();
  }

  async #register(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry || entry.asking) return;
    entry.asking = true;
    entry.again = false;
    try {
      await this.#ask(id);
    } catch (error) {
      this.#later(id, error);
      return;
    } finally {
      entry.asking = false;
    }
    if (entry.again) void this.#register(id);
  }

  async #ask(id: string): Promise<void> {
    const data = { awaited: id, address: this.#network.unicast };
    const answer = await this.#network.send(makeRequest("promise.register_listener", data));
    if (!isRefusal(answer)) this.settled(answer.data.promise);
    else if (answer.head.status === 422) await this.#poll(id);
    else this.#refused(id, answer);
  }

  /** A promise that others may not wait for settles all the same. */
  async #poll(id: string): Promise<void> {
    for (let delay = POLL_MS_FIRST; this.#entries.has(id); delay *= 2) {
      const answer = await this.#network.send(makeRequest("promise.get", { id }));
      if (isRefusal(answer)) return this.#refused(id, answer);
      this.settled(answer.data.promise);
      if (!this.#entries.has(id)) return;
      await new Promise<void>((resolve) => {
        this.#clock.background(Math.min(delay, POLL_MS_MAX), resolve);
      });
    }
  }

  #refused(id: string, { head, kind, data }: Refusal): void {
    const entry = this.#entries.get(id);
    this.#forget(id);
    const message = `${data} ('${id}')`;
    entry?.reject(new ServerRefusedError({ status: head.status, requestKind: kind, message }));
  }

  #later(id: string, error: unknown): void {
    if (!this.#entries.has(id)) return;
    this.#logger.warn(
      { id, error },
      `The server could not be asked about '${id}'; it is asked again.`,
    );
    this.#clock.background(AGAIN_MS, () => void this.#register(id));
  }

  #forget(id: string): void {
    this.#entries.delete(id);
    if (this.#entries.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #keepAlive(): void {
    const clock = this.#clock;
    this.#cancel ??= (clock.upkeep ?? clock.after).call(clock, REFRESH_MS, () => {
      this.#cancel = undefined;
      this.refresh();
      if (this.#entries.size > 0) this.#keepAlive();
    });
  }
}

function stopped(id: string): ResonateError {
  return new ResonateError(
    "STOPPED",
    `This client has been stopped, so it does not wait for '${id}'; make a new Resonate to go on.`,
  );
}
