/** Keeps the claims of this process alive. */
import { type Claim, isRefusal, originOf } from "@resonate-ts/protocol";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";
import { makeRequest } from "../network/envelope.ts";
import type { Network } from "../network/network.ts";

/** How soon the server is told of a claim that it gave unasked, in ms: it waits for 2 s. */
const CONFIRM_MS = 500;
/** Most tasks named in one heartbeat. */
const TASKS_MAX = 1_000;

export interface HeartbeatsOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pid: string;
  /** How long a claim lasts without a heartbeat, in ms; one is sent every half of it. */
  readonly ttlMs: number;
  /** What is held now. */
  readonly held: () => readonly Claim[];
  /** Somebody else has it. */
  readonly lost: (claim: Claim) => void;
}

/**
 * Sends heartbeats while something is held. Their answers do not say what was lost; mostly a claim that is gone shows
 * when something is recorded under it. But after a gap as long as a lease (this process was stopped, or the server
 * was away) it is asked for each claim whether it is ours still, so that its work does not go on in vain.
 */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  /** Claims that came unasked, with their versions. */
  #unconfirmed = new Map<string, number>();
  /** When everything that was held then was kept alive, as the clock counts. */
  #keptAt = 0;
  #cancel: (() => void) | undefined;
  #cancelConfirming: (() => void) | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** Something is held. Safe to call at every claim. */
  start(): void {
    const { clock, ttlMs } = this.#options;
    if (this.#cancel) return;
    this.#keptAt = clock.now();
    this.#plan(ttlMs / 2);
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

  #plan(ms: number): void {
    this.#cancel = this.#options.clock.background(ms, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { clock, ttlMs } = this.#options;
    this.#cancel = undefined;
    const held = this.#options.held();
    if (held.length === 0) return;
    this.#plan(ttlMs / 2);
    const sentAt = clock.now();
    const sent = await Promise.all(this.#groups(held).map((tasks) => this.#send(tasks)));
    if (!sent.every((kept) => kept)) return;
    const gap = clock.now() - this.#keptAt;
    this.#keptAt = sentAt;
    if (gap > ttlMs) await Promise.all(held.map((claim) => this.#verify(claim)));
  }

  /** Whether a claim is ours still. */
  async #verify(claim: Claim): Promise<void> {
    const { network, pid, logger, lost } = this.#options;
    try {
      const answer = await network.send(makeRequest("task.get", { id: claim.id }));
      if (isRefusal(answer)) return;
      const { state, version, pid: holder } = answer.data.task;
      const ours = state === "acquired" && version === claim.version && holder === pid;
      if (!ours) lost(claim);
    } catch (error) {
      logger.debug({ id: claim.id, error }, "It could not be asked whether a claim is still held.");
    }
  }

  /** Whether it got through. */
  async #send(tasks: readonly Claim[]): Promise<boolean> {
    const { network, pid, logger } = this.#options;
    try {
      const { head, data } = await network.send(makeRequest("task.heartbeat", { pid, tasks }));
      if (head.status !== 200) {
        logger.warn({ status: head.status, answer: data }, "The server refused a heartbeat.");
      }
      return head.status === 200;
    } catch (error) {
      logger.warn(
        { error, tasks: tasks.length },
        "A heartbeat did not get through. If that goes on, what this process holds is given to others.",
      );
      return false;
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
