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
  readonly promise: Pick<PromiseRecord, "param" | "timeoutAt" | "createdAt">;
}

/** Brings messages to addresses of one kind. Nothing here waits, and nothing here throws. */
export interface Delivery<A extends Address = Address> {
  /**
   * Asks for a worker of the address. Lost without harm: a pending task is offered again. `false` when nobody could be
   * asked at once.
   */
  offer(task: Offered, address: A): boolean;
  /** Brings the result to a listener, and calls back once it was taken. `false` when there is nobody to bring it to. */
  notify(promise: PromiseRecord, address: A, taken: () => void): boolean;
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

  offer(task: Offered, target: string): boolean {
    const address = parseAddress(target);
    return address !== undefined && this.#for(address)?.offer(task, address) === true;
  }

  notify(promise: PromiseRecord, target: string, taken: () => void): boolean {
    const address = parseAddress(target);
    return address !== undefined && this.#for(address)?.notify(promise, address, taken) === true;
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

  offer(task: Offered, { url }: { readonly url: string }): boolean {
    void this.#pusher.push(url, offerOf(task, this.#serverUrl));
    return true;
  }

  notify(promise: PromiseRecord, { url }: { readonly url: string }, taken: () => void): boolean {
    void this.#pusher.push(url, noticeOf(promise)).then((arrived) => {
      if (arrived) taken();
    });
    return true;
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
