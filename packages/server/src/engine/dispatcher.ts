/**
 * Who is connected, and what has been sent to whom. Holds nothing that must survive: stored offers and notices
 * come due again by themselves; this is what makes the usual case immediate.
 *
 * I1. A task is in `#offers` from the moment it becomes pending until it is seen in another state.
 * I2. An offer is either with one connection or waiting for one of its group.
 */
import { type Address, type PromiseRecord, parseAddress } from "@resonate-ts/protocol";
import type { StoredTask } from "../core/records.ts";
import type { Connection } from "./engine.ts";

/** Most offers remembered. Those beyond come back by the retry time-out (`tasks.retry_timeout`). */
export const OFFERS_MAX = 100_000;
/** How long a worker may leave an offer unanswered before another is asked, in ms. */
export const ANSWER_TIMEOUT_MS = 2_000;
/** Most unanswered offers that are made again at once. */
const REOFFERS_MAX = 256;

interface Offer {
  readonly id: string;
  readonly version: number;
  readonly address: Address & { readonly kind: "poll" };
  /** Where it was sent, and when; absent while it waits for a connection. */
  sent?: { readonly to: Connection; readonly at: number };
}

interface DispatcherOptions {
  readonly serverUrl: string | undefined;
  readonly now: () => number;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Connections of a group by id, in the order in which they were opened. */
  readonly #groups = new Map<string, Map<string, Connection>>();
  readonly #offers = new Map<string, Offer>();
  readonly #waiting = new Map<string, Set<string>>();
  #connections = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Whether a process has a stream open, in any group. */
  connected(pid: string): boolean {
    for (const group of this.#groups.values()) if (group.has(pid)) return true;
    return false;
  }

  /** Adds a connection, in place of one of the same group and id, and hands it what waits for its group. */
  open(connection: Connection): void {
    const group = this.#groups.get(connection.group) ?? new Map<string, Connection>();
    this.#groups.set(connection.group, group);
    const previous = group.get(connection.id);
    group.delete(connection.id);
    group.set(connection.id, connection);
    this.#connections++;
    if (previous) this.#forget(previous);
    this.#offerWaiting(connection.group);
  }

  /** Removes a connection; what it was offered and has not claimed goes to others. `false` if it was replaced. */
  close(connection: Connection): boolean {
    const group = this.#groups.get(connection.group);
    if (group?.get(connection.id) !== connection) return false;
    group.delete(connection.id);
    if (group.size === 0) this.#groups.delete(connection.group);
    this.#forget(connection);
    return true;
  }

  closeAll(): void {
    for (const group of this.#groups.values()) {
      for (const connection of group.values()) connection.closed();
    }
    this.#groups.clear();
    this.#connections = 0;
  }

  /** Offers a task to a worker of its target, now or when one connects. */
  offer(task: { readonly id: string; readonly version: number }, target: string): void {
    const address = parseAddress(target);
    if (address?.kind !== "poll") return;
    this.#drop(task.id);
    if (this.#offers.size >= OFFERS_MAX) return;
    const offer: Offer = { id: task.id, version: task.version, address };
    this.#offers.set(task.id, offer);
    this.#send(offer);
  }

  /** Follows what becomes of tasks: one that is no longer pending needs no worker. */
  seen(task: StoredTask): void {
    if (task.state !== "pending") this.#drop(task.id);
  }

  /** Sends the result to a listener; `false` when it could not be handed over. */
  notify(promise: PromiseRecord, target: string): boolean {
    const address = parseAddress(target);
    if (address?.kind !== "poll") return false;
    const message = { kind: "unblock", head: {}, data: { promise } } as const;
    return this.#pick(address)?.send(message) ?? false;
  }

  /** Makes offers again that a worker has left unanswered, or that found every buffer full. */
  sweep(): void {
    const before = this.#options.now() - ANSWER_TIMEOUT_MS;
    for (const group of this.#groups.keys()) this.#offerWaiting(group);
    let again = 0;
    for (const offer of this.#offers.values()) {
      if (!offer.sent) continue;
      if (offer.sent.at > before || again++ === REOFFERS_MAX) return;
      this.#send(offer, offer.sent.to);
    }
  }

  #forget(connection: Connection): void {
    this.#connections--;
    connection.closed();
    for (const offer of this.#offers.values()) {
      if (offer.sent?.to === connection) this.#send(offer);
    }
  }

  #send(offer: Offer, unlike?: Connection): void {
    const { serverUrl } = this.#options;
    const head = serverUrl === undefined ? {} : { serverUrl };
    const data = { task: { id: offer.id, version: offer.version } };
    const to = this.#pick(offer.address, unlike);
    // Sent offers stand in the order of sending, the latest last (`sweep` relies on it).
    this.#offers.delete(offer.id);
    this.#offers.set(offer.id, offer);
    if (to?.send({ kind: "execute", head, data })) {
      offer.sent = { to, at: this.#options.now() };
    } else {
      delete offer.sent;
      const waiting = this.#waiting.get(offer.address.group) ?? new Set();
      this.#waiting.set(offer.address.group, waiting.add(offer.id));
    }
  }

  #offerWaiting(group: string): void {
    const waiting = this.#waiting.get(group);
    this.#waiting.delete(group);
    for (const id of waiting ?? []) {
      const offer = this.#offers.get(id);
      if (offer && !offer.sent) this.#send(offer);
    }
  }

  #drop(id: string): void {
    const offer = this.#offers.get(id);
    if (!offer) return;
    this.#offers.delete(id);
    const waiting = this.#waiting.get(offer.address.group);
    waiting?.delete(id);
    if (waiting?.size === 0) this.#waiting.delete(offer.address.group);
  }

  /** The connection named, else, for `any`, the next of the group in turn; rather not `unlike`. */
  #pick(
    { cast, group, id }: Address & { readonly kind: "poll" },
    unlike?: Connection,
  ): Connection | undefined {
    const members = this.#groups.get(group);
    const named = id === undefined ? undefined : members?.get(id);
    if (cast === "uni" || !members) return named;
    if (named && named !== unlike) return named;
    for (const [key, member] of members) {
      if (member === unlike && members.size > 1) continue;
      // Taken ones go to the end of the line.
      members.delete(key);
      members.set(key, member);
      return member;
    }
    return undefined;
  }
}
