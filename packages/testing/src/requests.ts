/** Counts of what reached the server of a lab. */
import type { RequestKind } from "@resonate-ts/protocol";
import type { Exchange } from "./lab-network.ts";

/** What was sent to the server, requests that were sent again included. */
export class RequestCounts {
  readonly #byKind = new Map<RequestKind, number>();
  #exchanges = 0;

  /** Bodies: requests that travel together count once. This is what a server over HTTP would have been asked. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** Requests of all kinds. */
  get total(): number {
    let total = 0;
    for (const count of this.#byKind.values()) total += count;
    return total;
  }

  of(kind: RequestKind): number {
    return this.#byKind.get(kind) ?? 0;
  }

  /** Counts from zero again. */
  clear(): void {
    this.#byKind.clear();
    this.#exchanges = 0;
  }

  /** One body has arrived. */
  add({ requests }: Exchange): void {
    this.#exchanges += 1;
    for (const { kind } of requests) this.#byKind.set(kind, this.of(kind) + 1);
  }
}
