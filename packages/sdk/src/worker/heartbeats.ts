/** Keeps the claims of this process alive. */
import { originOf } from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";

/** How soon the server is told of a claim that it gave unasked, in ms: it waits for 2 s. */
const CONFIRM_MS = 500;
/** Most tasks named in one heartbeat. */
const TASKS_MAX = 1_000;

interface Claim {
  readonly id: string;
  readonly version: number;
}

export interface HeartbeatsOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pid: string;
  /** How long a claim lasts without a heartbeat, in ms; one is sent every half of it. */
  readonly ttlMs: number;
  /** What is held now. */
  readonly held: () => readonly Claim[];
}

/**
 * Sends heartbeats while something is held. Their answers say nothing about what was lost: a claim that is gone
 * shows when something is recorded under it.
 */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  /** Claims that came unasked, with their versions. */
  #unconfirmed = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #cancelConfirming: (() => void) | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** Something is held. Safe to call at every claim. */
  start(): void {
    const { clock, ttlMs } = this.#options;
    this.#cancel ??= clock.background(ttlMs / 2, () => this.#beat());
  }

  /** A claim came unasked. If it is still held in half a second, the server is told so then. */
  confirm({ id, version }: Claim): void {
    this.#unconfirmed.set(id, version);
    this.#cancelConfirming ??= this.#options.clock.background(CONFIRM_MS, () => this.#confirm());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancelConfirming?.();
    this.#cancel = undefined;
  }

  #confirm(): void {
    const unconfirmed = this.#unconfirmed;
    this.#unconfirmed = new Map();
    this.#cancelConfirming = undefined;
    const held = this.#options.held().filter(({ id, version }) => unconfirmed.get(id) === version);
    for (const tasks of this.#groups(held)) void this.#send(tasks);
  }

  #beat(): void {
    this.#cancel = undefined;
    const held = this.#options.held();
    if (held.length === 0) return;
    this.start();
    for (const tasks of this.#groups(held)) void this.#send(tasks);
  }

  async #send(tasks: readonly Claim[]): Promise<void> {
    const { network, pid, logger } = this.#options;
    try {
      const { head, data } = await network.send(makeRequest("task.heartbeat", { pid, tasks }));
      if (head.status !== 200) {
        logger.warn({ status: head.status, answer: data }, "The server refused a heartbeat.");
      }
    } catch (error) {
      logger.warn(
        { error, tasks: tasks.length },
        "A heartbeat did not get through. If that goes on, what this process holds is given to others.",
      );
    }
  }

  /** Servers without extensions refuse tasks of different trees in one request. */
  #groups(held: readonly Claim[]): readonly (readonly Claim[])[] {
    const together = this.#options.network.extensions.size > 0;
    const trees = Object.values(
      Object.groupBy(held, ({ id }) => (together ? "all" : `of ${originOf(id)}`)),
    );
    return trees.flatMap((tasks = []) => pages(tasks));
  }
}

function pages(tasks: readonly Claim[]): readonly (readonly Claim[])[] {
  const count = Math.ceil(tasks.length / TASKS_MAX);
  return Array.from({ length: count }, (_, i) => tasks.slice(i * TASKS_MAX, (i + 1) * TASKS_MAX));
}
