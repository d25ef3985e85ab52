/** Lets go of claims: gives them back, or stops their tasks, now or after a while. */
import { type Claim, isRefusal } from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";

/** Longest cause, in characters, that servers keep. */
const CAUSE_LENGTH_MAX = 2_000;

export class Handback {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #cancels = new Set<() => void>();

  constructor(parts: {
    readonly network: Network;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#network = parts.network;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Gives a claim back; with a cause, because of a failure. If that fails its lease runs out by itself. Never rejects. */
  async release({ id, version }: Claim, cause?: string): Promise<void> {
    try {
      await this.#network.send(makeRequest("task.release", { id, version }, headOf(cause)));
    } catch (error) {
      this.#logger.debug({ id, error }, "A task could not be released.");
    }
  }

  /** Keeps a task from being tried any more, until somebody continues it. Never rejects. */
  async halt(claim: Claim, cause: string): Promise<void> {
    const { id } = claim;
    try {
      const answer = await this.#network.send(makeRequest("task.halt", { id }, headOf(cause)));
      if (!isRefusal(answer)) return;
      this.#logger.warn({ id, answer: answer.data }, "A task could not be halted.");
      await this.release(claim, cause);
    } catch (error) {
      this.#logger.debug({ id, error }, "A task could not be halted.");
    }
  }

  /** Resolves after `ms`, or as soon as `cancel` is called. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#cancels.delete(cancel);
        resolve();
      };
      const timer = this.#clock.background(ms, done);
      const cancel = () => {
        timer();
        done();
      };
      this.#cancels.add(cancel);
    });
  }

  /** Ends all pauses. */
  cancel(): void {
    for (const cancel of this.#cancels) cancel();
  }
}

function headOf(cause: string | undefined) {
  return cause === undefined ? {} : { "resonate:cause": cause.slice(0, CAUSE_LENGTH_MAX) };
}
