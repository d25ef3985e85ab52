/**
 * Tells the server which functions this process has, so that it is given tasks of theirs together with the claim.
 *
 * An announcement ends with the stream of messages it was made on, so it is made anew after each opening.
 */
import { isRefusal, parseAddress } from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";
import type { Registry } from "../registry.ts";

/** Most functions, versions of one, and characters of a name that servers take. What is beyond is claimed as ever. */
const FUNCTIONS_MAX = 10_000;
const VERSIONS_MAX = 1_000;
const NAME_LENGTH_MAX = 1_024;

export interface AnnouncerOptions {
  readonly network: Network;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pid: string;
  /** Length of the claims, in ms. */
  readonly ttlMs: number;
  /** Most tasks that run at once. */
  readonly slots: number;
}

/** Versions by name. */
type Functions = Readonly<Record<string, readonly number[]>>;

export class Announcer {
  readonly #options: AnnouncerOptions;
  #opened = false;
  #planned = false;
  #announced = false;
  #stopped = false;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** The stream of messages has been opened. */
  opened(): void {
    this.#opened = true;
    this.changed();
  }

  /** Functions have been registered. They are announced in the next turn, with all that this one still registers. */
  changed(): void {
    if (!this.#opened || this.#planned) return;
    this.#planned = true;
    this.#options.clock.turn(() => {
      this.#planned = false;
      void this.#announce();
    });
  }

  /** Takes the announcement back, so that what is released does not come here again. */
  stop(): void {
    this.#stopped = true;
    if (this.#announced) void this.#send({});
  }

  async #announce(): Promise<void> {
    const functions = this.#functions();
    if (this.#stopped || Object.keys(functions).length === 0) return;
    await this.#send(functions);
  }

  async #send(functions: Functions): Promise<void> {
    const { network, pid, ttlMs, slots, logger } = this.#options;
    const address = parseAddress(network.unicast);
    if (!network.extensions.has("claim") || address?.kind !== "poll") return;
    this.#announced = true;
    const data = { group: address.group, pid, ttl: ttlMs, slots, functions };
    try {
      const answer = await network.send(makeRequest("worker.announce", data));
      // 409: the stream has been closed meanwhile; it is announced on the next one.
      if (!isRefusal(answer) || answer.head.status === 409) return;
      logger.warn(
        { status: answer.head.status, answer: answer.data },
        "The server refused to be told of the functions of this process; tasks are claimed one by one.",
      );
    } catch (error) {
      if (!this.#stopped)
        logger.debug({ error }, "The functions of this process were not announced.");
    }
  }

  #functions(): Functions {
    const { registry } = this.#options;
    const names = registry.names().filter((name) => name.length <= NAME_LENGTH_MAX);
    const entries = names.slice(0, FUNCTIONS_MAX).map((name) => {
      // The highest are the ones that are called.
      return [name, registry.versions(name).slice(-VERSIONS_MAX)] as const;
    });
    return Object.fromEntries(entries);
  }
}
