/** How messages leave: one way of delivery for each kind of address, and the router that knows which. */
import {
  type Address,
  type ExecuteMessage,
  type PromiseRecord,
  parseAddress,
  type UnblockMessage,
} from "@resonate-ts/protocol";
import type { Pusher } from "../transports/router.ts";

/** A task that wants a worker. */
export interface Offered {
  readonly id: string;
  readonly version: number;
  readonly promise: Pick<PromiseRecord, "param" | "timeoutAt">;
}

/** Brings messages to addresses of one kind. Nothing here waits, and nothing here throws. */
export interface Delivery<A extends Address = Address> {
  /** Asks for a worker of the address. Lost without harm: a pending task is offered again. */
  offer(task: Offered, address: A): void;
  /** Brings the result to a listener, and calls back once it was taken. */
  notify(promise: PromiseRecord, address: A, taken: () => void): void;
}

type Kinds = Address["kind"];

/** A delivery for each kind of address; what is of a kind without one stays where it is. */
export type Deliveries = {
  readonly [K in Kinds]?: Delivery<Extract<Address, { readonly kind: K }>> | undefined;
};

export class Router {
  readonly #deliveries: Deliveries;

  constructor(deliveries: Deliveries) {
    this.#deliveries = deliveries;
  }

  offer(task: Offered, target: string): void {
    const address = parseAddress(target);
    if (address) this.#for(address)?.offer(task, address);
  }

  notify(promise: PromiseRecord, target: string, taken: () => void): void {
    const address = parseAddress(target);
    if (address) this.#for(address)?.notify(promise, address, taken);
  }

  #for({ kind }: Address): Delivery | undefined {
    // The table has under each kind what takes addresses of that kind.
    return this.#deliveries[kind] as Delivery | undefined;
  }
}

/** Delivery to those who are called, in place of calling. */
export class PushDelivery implements Delivery<Extract<Address, { readonly kind: "push" }>> {
  readonly #pusher: Pusher;
  readonly #serverUrl: string | undefined;

  constructor(pusher: Pusher, serverUrl: string | undefined) {
    this.#pusher = pusher;
    this.#serverUrl = serverUrl;
  }

  offer(task: Offered, { url }: { readonly url: string }): void {
    void this.#pusher.push(url, offerOf(task, this.#serverUrl));
  }

  notify(promise: PromiseRecord, { url }: { readonly url: string }, taken: () => void): void {
    void this.#pusher.push(url, noticeOf(promise)).then((arrived) => {
      if (arrived) taken();
    });
  }
}

export function offerOf(
  { id, version }: Pick<Offered, "id" | "version">,
  serverUrl: string | undefined,
): ExecuteMessage {
  const head = serverUrl === undefined ? {} : { serverUrl };
  return { kind: "execute", head, data: { task: { id, version } } };
}

export function noticeOf(promise: PromiseRecord): UnblockMessage {
  return { kind: "unblock", head: {}, data: { promise } };
}
