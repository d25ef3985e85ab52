/**
 * Who is connected, and what has been offered to whom. Holds nothing that must survive: stored offers and notices
 * come due again by themselves; this is what makes the usual case immediate.
 *
 * I1. A task is in `#offers` from the moment it becomes pending until it is seen in another state. Where that is full
 *     it is sent all the same, if somebody has room: one group's backlog must not keep others from their work.
 * I2. A remembered offer is either with one connection or in one queue.
 * I3. No connection has more than `WINDOW` remembered offers that it has not answered; the others wait, so that work
 *     goes to whoever is ready for it. Offers that were left unanswered before (they are stale) take half of it at
 *     most, so that work nobody takes keeps no other work waiting.
 */
import { type Address, type PromiseRecord, parseAddress } from "@resonate-ts/protocol";
import type { StoredTask } from "../core/records.ts";
import type { Connection } from "./engine.ts";

/** Most offers remembered. Those beyond are made once, and come back by the retry time-out (`tasks.retry_timeout`). */
export const OFFERS_MAX = 100_000;
/** Most unanswered offers of one connection: some milliseconds of work for a worker that takes them at once. */
export const WINDOW = 64;
/** Most of them that are stale. */
const STALE_WINDOW = WINDOW / 2;
/** How long a worker may leave an offer unanswered before another is asked, in ms. */
export const ANSWER_TIMEOUT_MS = 2_000;

type PollAddress = Address & { readonly kind: "poll" };

interface Offer {
  readonly id: string;
  readonly version: number;
  readonly address: PollAddress;
  /** Who has it, and since when; absent while it is in a queue. */
  sent?: { readonly to: Member; readonly at: number };
  /** It was left unanswered. */
  stale: boolean;
}

/** A connection and what it has been offered. */
interface Member {
  readonly connection: Connection;
  /** Unanswered, the longest first. */
  readonly offers: Map<string, Offer>;
}

interface DispatcherOptions {
  readonly serverUrl: string | undefined;
  readonly now: () => number;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Members of a group by the id of their process, those that were asked longest ago first. */
  readonly #groups = new Map<string, Map<string, Member>>();
  readonly #offers = new Map<string, Offer>();
  /** Ids of offers that wait, by who may take them (`queueOf`), the longest first. */
  readonly #queues = new Map<string, Set<string>>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get connections(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.size;
    return count;
  }

  /** Whether a process has a stream open, in any group. */
  connected(pid: string): boolean {
    for (const group of this.#groups.values()) if (group.has(pid)) return true;
    return false;
  }

  /** Adds a connection, in place of one of the same group and id, and offers it what waits for it. */
  open(connection: Connection): void {
    const group = this.#groups.get(connection.group) ?? new Map<string, Member>();
    const previous = group.get(connection.id);
    const member: Member = { connection, offers: new Map() };
    group.delete(connection.id);
    this.#groups.set(connection.group, group.set(connection.id, member));
    if (previous) this.#dismiss(previous);
    this.#fill(member);
  }

  /** Removes a connection; what it was offered and has not claimed goes to others. `false` if it was replaced. */
  close(connection: Connection): boolean {
    const group = this.#groups.get(connection.group);
    const member = group?.get(connection.id);
    if (!group || member?.connection !== connection) return false;
    group.delete(connection.id);
    if (group.size === 0) this.#groups.delete(connection.group);
    this.#dismiss(member);
    return true;
  }

  closeAll(): void {
    for (const group of this.#groups.values()) {
      for (const { connection } of group.values()) connection.closed();
    }
    this.#groups.clear();
  }

  /** Offers a task to a worker of its target, now or when one has room. */
  offer(task: { readonly id: string; readonly version: number }, target: string): void {
    const address = parseAddress(target);
    if (address?.kind !== "poll") return;
    this.#drop(task.id);
    const offer: Offer = { id: task.id, version: task.version, address, stale: false };
    if (this.#offers.size >= OFFERS_MAX) {
      const member = this.#pick(offer);
      if (member) this.#hand(offer, member);
      return;
    }
    this.#offers.set(task.id, offer);
    this.#place(offer);
  }

  /** Follows what becomes of tasks: one that is no longer pending needs no worker, and leaves room for the next. */
  seen(task: StoredTask): void {
    const member = task.state === "pending" ? undefined : this.#drop(task.id);
    if (member) this.#fill(member);
  }

  /** Sends the result to a listener; `false` when it could not be handed over. */
  notify(promise: PromiseRecord, target: string): boolean {
    const address = parseAddress(target);
    if (address?.kind !== "poll") return false;
    const members = this.#groups.get(address.group);
    const named = address.id === undefined ? undefined : members?.get(address.id);
    const [first] = address.cast === "any" && members ? members.values() : [];
    const message = { kind: "unblock", head: {}, data: { promise } } as const;
    return (named ?? first)?.connection.send(message) ?? false;
  }

  /** Tells a process that what it works on has settled without it. */
  revoke(promise: PromiseRecord, pid: string): void {
    for (const group of this.#groups.values()) {
      group.get(pid)?.connection.send({ kind: "unblock", head: {}, data: { promise } });
    }
  }

  /** Which run of a process a stream belongs to, where it is open and says so. */
  incarnationOf({ group, id }: Connection): string | undefined {
    return this.#groups.get(group)?.get(id)?.connection.incarnation;
  }

  /** Offers what has been left unanswered to others, and what found every buffer full again. */
  sweep(): void {
    const before = this.#options.now() - ANSWER_TIMEOUT_MS;
    for (const group of this.#groups.values()) {
      for (const member of [...group.values()]) {
        for (const offer of [...member.offers.values()]) {
          if (!offer.sent || offer.sent.at > before) continue;
          offer.stale = true;
          this.#place(offer, member);
        }
        this.#fill(member);
      }
    }
  }

  /** Takes leave of a connection that is not in its group any more. */
  #dismiss({ connection, offers }: Member): void {
    connection.closed();
    for (const offer of [...offers.values()]) this.#place(offer);
  }

  /** Gives an offer to whoever has room for it, but not to `unlike` again, or else lets it wait. */
  #place(offer: Offer, unlike?: Member): void {
    offer.sent?.to.offers.delete(offer.id);
    delete offer.sent;
    const member = this.#pick(offer, unlike);
    if (member && this.#give(offer, member)) return;
    const key = queueOf(offer.address, offer);
    this.#queues.set(key, (this.#queues.get(key) ?? new Set()).add(offer.id));
  }

  #give(offer: Offer, member: Member): boolean {
    if (!this.#hand(offer, member)) return false;
    offer.sent = { to: member, at: this.#options.now() };
    member.offers.set(offer.id, offer);
    return true;
  }

  #hand({ id, version }: Offer, { connection }: Member): boolean {
    const { serverUrl } = this.#options;
    const head = serverUrl === undefined ? {} : { serverUrl };
    return connection.send({ kind: "execute", head, data: { task: { id, version } } });
  }

  /** Offers what waits for it to a connection, as much as it has room for. */
  #fill(member: Member): void {
    const { group, id } = member.connection;
    for (const kind of [{ stale: false }, { stale: true }]) {
      for (const address of [
        { cast: "uni", group, id } as const,
        { cast: "any", group } as const,
      ]) {
        this.#fillFrom(queueOf(address, kind), member, kind);
      }
    }
  }

  #fillFrom(key: string, member: Member, kind: Pick<Offer, "stale">): void {
    const queue = this.#queues.get(key);
    for (const waiting of queue ?? []) {
      const offer = this.#offers.get(waiting);
      if (!hasRoom(member, kind) || (offer && !this.#give(offer, member))) return;
      queue?.delete(waiting);
      if (queue?.size === 0) this.#queues.delete(key);
    }
  }

  /** Forgets an offer; gives the connection that had it. */
  #drop(id: string): Member | undefined {
    const offer = this.#offers.get(id);
    if (!offer) return undefined;
    this.#offers.delete(id);
    const key = queueOf(offer.address, offer);
    const queue = this.#queues.get(key);
    if (queue?.delete(id) && queue.size === 0) this.#queues.delete(key);
    offer.sent?.to.offers.delete(id);
    return offer.sent?.to;
  }

  /** Who is asked: the connection named, else, for `any`, the next of the group in turn, if it has room. */
  #pick(offer: Offer, unlike?: Member): Member | undefined {
    const { cast, group, id } = offer.address;
    const members = this.#groups.get(group);
    const fits = (member: Member) => member !== unlike && hasRoom(member, offer);
    const named = id === undefined ? undefined : members?.get(id);
    if (named && fits(named)) return named;
    if (cast === "uni" || !members) return undefined;
    for (const [key, member] of members) {
      if (!fits(member)) continue;
      // Taken ones go to the end of the line.
      members.delete(key);
      members.set(key, member);
      return member;
    }
    return undefined;
  }
}

function hasRoom({ offers }: Member, { stale }: Pick<Offer, "stale">): boolean {
  return offers.size < (stale ? STALE_WINDOW : WINDOW);
}

/** Names the queue of those who wait for any of a group, or for one process of it; stale ones have their own. */
function queueOf(
  { cast, group, id }: Pick<PollAddress, "cast" | "group" | "id">,
  { stale }: Pick<Offer, "stale">,
): string {
  const place = cast === "uni" ? `uni ${group}\0${id ?? ""}` : `any ${group}`;
  return stale ? `stale ${place}` : place;
}
