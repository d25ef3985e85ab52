/**
 * Keeps apart what may take its process down. When a process is lost, all that it held counts as failed, and nobody can
 * tell which of it was the cause. So what was lost some times in a row is put on trial: it is run while no other suspect
 * is, and what is innocent gets through.
 *
 * I1. At most one suspect is on trial at a time. It is given a start of its own, so that those that came along with it have been given back,
 *     uncounted, before it can do harm.
 * I2. A trial ends with the pass, or when it has gone on for long enough: work that takes an hour must not stop the rest.
 */
import type { Clock } from "../core/clock.ts";
import type { Offer } from "./claims.ts";

/** From how many losses in a row on work is a suspect. Two trials are left then before it is halted. */
export const SUSPECT_LOSSES = 3;
/** How long a suspect waits before it is run, in ms: enough for what came with it to be given back, and no longer, as it counts as lost meanwhile. */
export const CALM_MS = 250;
/** How long the others wait for one, in ms. */
const TRIAL_MS = 10_000;
/** Most suspects that are remembered; the oldest is forgotten first. */
const SUSPECTS_MAX = 10_000;

export class Suspects {
  readonly #clock: Clock;
  /** Called with an offer that was kept back and can be taken up now. */
  readonly #next: (offer: Offer) => void;
  #trial: { readonly id: string; readonly cancel: () => void } | undefined;
  /** Those that were given back, with their last offer once it has come. */
  readonly #waiting = new Map<string, Offer | undefined>();

  constructor({
    clock,
    next,
  }: {
    readonly clock: Clock;
    readonly next: (offer: Offer) => void;
  }) {
    this.#clock = clock;
    this.#next = next;
  }

  /** Puts a suspect on trial. If another one is, it is to be given back, and its next offer is kept until later. */
  admit(id: string): boolean {
    if (this.#trial && this.#trial.id !== id) {
      this.#remember(id);
      return false;
    }
    this.#trial?.cancel();
    this.#waiting.delete(id);
    const cancel = this.#clock.background(CALM_MS + TRIAL_MS, () => this.over(id));
    this.#trial = { id, cancel };
    return true;
  }

  /** Whether an offer is kept until it is its turn. */
  keeps(offer: Offer): boolean {
    if (!this.#trial || !this.#waiting.has(offer.id)) return false;
    this.#waiting.set(offer.id, offer);
    return true;
  }

  /** A pass is over. */
  over(id: string): void {
    if (this.#trial?.id !== id) return;
    this.#trial.cancel();
    this.#trial = undefined;
    for (const offer of this.#waiting.values()) {
      if (!offer) continue;
      this.#waiting.delete(offer.id);
      this.#next(offer);
      return;
    }
  }

  stop(): void {
    this.#trial?.cancel();
    this.#trial = undefined;
    this.#waiting.clear();
  }

  #remember(id: string): void {
    this.#waiting.set(id, undefined);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > SUSPECTS_MAX && oldest !== undefined) this.#waiting.delete(oldest);
  }
}
