/** A call that has been made, seen from outside. */
import type { PromiseRecord } from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { outcomeOf } from "../journal/outcome.ts";
import type { Network } from "../network/network.ts";
import { ask } from "./ask.ts";
import type { Listeners } from "./listeners.ts";
import type { Promises } from "./promises.ts";

/** A durable promise that is on record; its result can be had here, whoever works on it. */
export interface ResonateHandle<T> {
  readonly id: string;
  /**
   * The result. May be asked for as often as wanted; keeps the process alive until it is there.
   *
   * @throws what the function threw; PromiseCanceledError; PromiseTimedoutError; ServerRefusedError when the
   *   server does not let this process wait for it; ResonateError `STOPPED` when this client was stopped before.
   */
  result(): Promise<T>;
  /** Whether it has settled, asked of the server now. */
  done(): Promise<boolean>;
  /**
   * Cancels it and everything pending that was started for it, except children with an id of their own and detached
   * calls. `result` throws PromiseCanceledError then, unless it had settled before. Safe to call twice.
   */
  cancel(): Promise<void>;
}

/** The handle of a promise, as it was when last seen. */
export class PromiseHandle<T> implements ResonateHandle<T> {
  readonly id: string;
  readonly #parts: {
    readonly network: Network;
    readonly codec: Codec;
    readonly listeners: Listeners;
    readonly promises: Promises;
  };
  #seen: PromiseRecord;

  constructor(
    seen: PromiseRecord,
    parts: {
      readonly network: Network;
      readonly codec: Codec;
      readonly listeners: Listeners;
      readonly promises: Promises;
    },
  ) {
    this.id = seen.id;
    this.#seen = seen;
    this.#parts = parts;
  }

  async result(): Promise<T> {
    const { listeners, codec } = this.#parts;
    if (this.#seen.state === "pending") {
      this.#seen = await listeners.wait(this.id, { local: false });
    }
    return resultOf<T>(this.#seen, codec);
  }

  async done(): Promise<boolean> {
    if (this.#seen.state === "pending") {
      this.#seen = (await ask(this.#parts.network, "promise.get", { id: this.id })).promise;
    }
    return this.#seen.state !== "pending";
  }

  async cancel(): Promise<void> {
    this.#seen = await this.#parts.promises.cancelTree(this.id);
  }
}

/** The value of a settled promise; throws its error. */
export async function resultOf<T>(promise: PromiseRecord, codec: Codec): Promise<T> {
  const outcome = await outcomeOf(promise, codec);
  // A record carries no type: what it holds is the caller's word.
  if (outcome?.kind === "resolved") return outcome.value as T;
  throw outcome?.error;
}
