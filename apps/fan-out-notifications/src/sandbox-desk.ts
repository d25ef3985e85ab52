import { setTimeout } from "node:timers/promises";
import type { Channel } from "./notification.ts";
import type { Ledger, Received } from "./sandbox-ledger.ts";

/** What goes wrong with one request. */
export type Fault =
  /** It is answered with this status, and nothing is delivered. `retryAfter` in s. */
  | { readonly kind: "refuse"; readonly status: number; readonly retryAfter?: number }
  /** It is delivered, and the connection is cut before the answer. */
  | { readonly kind: "cut" }
  /** It is delivered, and there is no answer. */
  | { readonly kind: "hang" };

/** A request, as whoever delivers it sees it. */
export type Asked = Pick<Received, "channel" | "key" | "to" | "text">;

/** Says what goes wrong with the `attempt`th request for a key, from 1. */
export type Faults = (asked: Asked, attempt: number) => Fault | undefined;

/** What became of a request. */
export interface Handled {
  readonly did: Received["did"];
  readonly fault?: Fault;
}

export interface DeskOptions {
  readonly ledger: Ledger;
  readonly faults?: Faults | undefined;
  /** How long a channel takes, in ms. */
  readonly takesMs: (channel: Channel) => number;
  readonly onReceived?: ((received: Received) => void) | undefined;
}

/** What all providers do alike: take their time, deliver once per key, and keep a ledger. */
export class Desk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get ledger(): Ledger {
    return this.#options.ledger;
  }

  async handle(asked: Asked): Promise<Handled> {
    const { ledger, faults, takesMs, onReceived } = this.#options;
    const ms = takesMs(asked.channel);
    if (ms > 0) await setTimeout(ms);
    const before = ledger.of(asked.key);
    const fault = faults?.(asked, before.length + 1);
    const did = didOf(before, fault);
    const cut = fault !== undefined && fault.kind !== "refuse";
    const received: Received = { ...asked, did, ...(cut && { cut }) };
    ledger.note(received);
    onReceived?.(received);
    return { did, ...(fault && { fault }) };
  }
}

function didOf(before: readonly Received[], fault: Fault | undefined): Received["did"] {
  if (fault?.kind === "refuse") return "failed";
  return before.some(({ did }) => did === "delivered") ? "repeated" : "delivered";
}
