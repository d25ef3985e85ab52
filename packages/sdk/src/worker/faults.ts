/** Remembers which tasks fail for reasons other than their program's outcome, so that they are not tried in a hot loop. */
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../logger.ts";

const DELAY_MS_FIRST = 1_000;
const DELAY_MS_MAX = 30_000;
/** Most tasks that are remembered; the oldest is forgotten first. */
const TASKS_MAX = 10_000;

interface Fault {
  readonly count: number;
  readonly message: string;
  /** Until when offers of the task are declined, as the clock counts. */
  readonly declinedUntil: number;
}

export class Faults {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #faults = new Map<string, Fault>();

  constructor({ logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Logs a fault, once as long as it stays the same; gives how long to wait before letting the task go, in ms. */
  add(id: string, error: unknown): number {
    const fault = this.#faults.get(id) ?? { count: 0, message: "", declinedUntil: 0 };
    const delay = Math.min(DELAY_MS_FIRST * 2 ** fault.count, DELAY_MS_MAX);
    const message = error instanceof Error ? error.message : String(error);
    const log = message === fault.message ? this.#logger.debug : this.#logger.error;
    log.call(
      this.#logger,
      { id, error, attempt: fault.count + 1, retryMs: delay },
      `'${id}' could not go on and is tried again later; nothing was settled. ${message}`,
    );
    this.#remember(id, { count: fault.count + 1, message, declinedUntil: 0 });
    return delay;
  }

  /** As `add`, for a task that others may be able to run: it is let go at once, and its offers are declined a while. */
  decline(id: string, error: unknown): void {
    const delay = this.add(id, error);
    const fault = this.#faults.get(id);
    if (fault) this.#remember(id, { ...fault, declinedUntil: this.#clock.now() + delay });
  }

  /** Whether an offer of this task is for others to take, for now. */
  declines(id: string): boolean {
    const fault = this.#faults.get(id);
    return fault !== undefined && fault.declinedUntil > this.#clock.now();
  }

  /** The task went on. */
  clear(id: string): void {
    this.#faults.delete(id);
  }

  #remember(id: string, fault: Fault): void {
    this.#faults.delete(id);
    this.#faults.set(id, fault);
    if (this.#faults.size <= TASKS_MAX) return;
    const oldest = this.#faults.keys().next();
    if (!oldest.done) this.#faults.delete(oldest.value);
  }
}
