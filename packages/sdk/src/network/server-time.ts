/**
 * How far the server's clock is from this machine's, as the `Date` of its answers tells. Deadlines are instants of the
 * server's time, so a machine whose clock is wrong must not work them out from its own.
 *
 * An answer was made between the instants at which it was asked for and received, and its date counts whole seconds. What
 * fits into that is no difference, however slow the way is.
 */
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";
import type { Network } from "./network.ts";

/** The date counts whole seconds, in ms. */
const SECOND_MS = 1_000;

/** When an exchange took place, by the time of this process (`systemClock`), in ms since the epoch. */
export interface Exchange {
  readonly askedAt: number;
  readonly receivedAt: number;
}

export class ServerTime {
  readonly #logger: Logger;
  #aheadMs = 0;
  #warned = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** How far the server is ahead of this machine, in ms; negative where it is behind, 0 where no difference is seen. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Takes in the `Date` header of an answer. */
  heard(date: string | string[] | undefined, { askedAt, receivedAt }: Exchange): void {
    const at = Date.parse(String(date));
    const least = at - receivedAt;
    const most = at + SECOND_MS - askedAt;
    // What one answer leaves open must not move time to and fro.
    const fits = (aheadMs: number) => aheadMs >= least - SECOND_MS && aheadMs <= most + SECOND_MS;
    if (Number.isNaN(at) || fits(this.#aheadMs)) return;
    this.#aheadMs = fits(0) ? 0 : Math.round((least + most) / 2);
    if (this.#warned || this.#aheadMs === 0) return;
    this.#warned = true;
    this.#logger.warn(
      { aheadMs: this.#aheadMs },
      `The clock of this machine and the server's are ${Math.round(Math.abs(this.#aheadMs) / SECOND_MS)} s apart. Deadlines go by the server's.`,
    );
  }
}

/** The clock with the server's time in place of the machine's. */
export function onServerTime(clock: Clock, network: Pick<Network, "aheadMs">): Clock {
  return {
    now: () => clock.now() + (network.aheadMs ?? 0),
    after: (ms, callback) => clock.after(ms, callback),
    background: (ms, callback) => clock.background(ms, callback),
    upkeep: (ms, callback) => (clock.upkeep ?? clock.after).call(clock, ms, callback),
    turn: (callback) => clock.turn(callback),
  };
}
