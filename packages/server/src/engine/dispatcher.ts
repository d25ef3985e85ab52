/**
 * Delivery to workers that poll: what has been offered to whom, and who is given claims. Holds nothing that must survive:
 * stored offers and notices come due again by themselves; this is what makes the usual case immediate.
 *
 * I1. A task is in `#offers` from the moment it becomes pending until it is seen in another state. Where that is full
 *     it is sent all the same, if somebody has room: one group's backlog must not keep others from their work.
 * I2. A remembered offer is with one connection, or being claimed for one, or in one queue.
 * I3. No connection has more than `WINDOW` remembered offers that it has not answered; the others wait, so that work
 *     goes to whoever is ready for it. Offers that were left unanswered before (they are stale) take half of it at
 *     most, so that work nobody takes keeps no other work waiting.
 */
import {
  type ClaimedTask,
  type PromiseRecord,
  parseAddress,
  type RequestData,
} from "@resonate-ts/protocol";
import { groupOf } from "../core/offer.ts";
import type { StoredTask } from "../core/records.ts";
import type { Place } from "../stores/store.ts";
import { callOf } from "./call.ts";
import { type Census, takeCensus } from "./census.ts";
import { Claimants } from "./claimants.ts";
import { type Delivery, noticeOf, type Offered, offerOf } from "./delivery.ts";
import type { DispatcherOptions } from "./dispatcher-options.ts";
import type { Connection } from "./engine.ts";
import type { Assignment, Claims } from "./execute.ts";
import { Holdings } from "./holdings.ts";
import { hasRoom, type Offer, type PollAddress, queueOf, type TaskVersion } from "./offers.ts";
import { type Member as MemberOf, Roster } from "./roster.ts";

/** Most offers remembered. Those beyond are made once, and come back when there is room again. */
export const OFFERS_MAX = 100_000;
/** How long a worker may leave an offer unanswered, or a claim unconfirmed, before another is asked, in ms. */
export const ANSWER_TIMEOUT_MS = 2_000;

type Member = MemberOf<Offer>;

export class Dispatcher implements Delivery<PollAddress> {
  readonly #options: DispatcherOptions;
  readonly #roster = new Roster<Offer>();
  readonly #holdings = new Holdings();
  readonly #claimants = new Claimants(this.#roster, this.#holdings);
  readonly #offers = new Map<string, Offer>();
  /** Ids of offers that wait, by who may take them (`queueOf`), the longest first. */
  readonly #queues = new Map<string, Set<string>>();
  /** Offers had to be forgotten. */
  #overflowed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#roster.size;
  }

  /** Whether a process has a stream open, in this group or in any. */
  connected(pid: string, group?: string): boolean {
    if (group !== undefined) return this.#roster.named(group, pid) !== undefined;
    return this.#roster.ofProcess(pid).size > 0;
  }

  /** Whether a process has been seen to hold something. */
  holds(pid: string): boolean {
    return this.#holdings.load(pid).held > 0;
  }

  /** Adds a connection, and offers it what waits for it. */
  open(connection: Connection): void {
    const { member, replaced } = this.#roster.open(connection, this.#options.now());
    if (replaced) this.#dismiss(replaced);
    this.#fill(member);
  }

  /** Removes a connection; what it was offered and has not claimed goes to others. `false` if it was replaced. */
  close(connection: Connection): boolean {
    const member = this.#roster.close(connection);
    if (member) this.#dismiss(member);
    return member !== undefined;
  }

  closeAll(): void {
    const members = this.#roster.all();
    this.#roster.clear();
    for (const { connection } of members) connection.closed();
  }

  /** A worker says what it can be given; `false` when it has no stream. */
  announce({ group, pid, ttl, slots, functions }: RequestData["worker.announce"]): boolean {
    const member = this.#roster.named(group, pid);
    if (!member) return false;
    const versions = Object.entries(functions).map(([name, of]) => [name, new Set(of)] as const);
    member.announced = { ttl, slots, functions: new Map(versions) };
    member.silent = false;
    this.#fill(member);
    return true;
  }

  /** Whether `heard` has anything to hear of. */
  get awaitsWord(): boolean {
    return this.#holdings.awaitsWord;
  }

  /** Somebody acts under a claim: whoever was given it has got it. */
  heard({ id, version }: TaskVersion): void {
    const pid = this.#holdings.confirm(id, version);
    if (pid !== undefined) this.#heardOf(pid);
  }

  /**
   * Somebody gives a claim back. A process that was given it and did nothing else under it has no use for more: what it
   * holds has not all been seen here (after a restart, say). It asks by itself when it has room.
   */
  declined({ id, version }: TaskVersion): void {
    const pid = this.#holdings.confirm(id, version);
    if (pid !== undefined) this.#silence(pid);
  }

  /** Offers a task to a worker of its target, now or when one has room. */
  offer({ id, version, promise }: Offered, address: PollAddress): boolean {
    // The same one again is in hand already.
    if (this.#offers.get(id)?.version === version) return true;
    this.#drop(id);
    if (this.#options.shared && !this.#has(address)) return false;
    const { timeoutAt, param } = promise;
    const since = version === 0 ? promise.createdAt : this.#options.now();
    const call = callOf(param);
    const offer: Offer = { id, version, since, timeoutAt, call, address, stale: false };
    if (this.#offers.size >= OFFERS_MAX) {
      this.#overflowed = true;
      const member = this.#pick(offer);
      return member !== undefined && this.#hand(offer, member);
    }
    this.#offers.set(id, offer);
    this.#place(offer);
    return offer.sent !== undefined || offer.claiming === true;
  }

  /** Somebody has claimed a task, and this server has not seen it. */
  taken({ id, version }: TaskVersion): void {
    const member = this.#offers.get(id)?.version === version ? this.#drop(id) : undefined;
    if (member) this.#fill(member);
  }

  /** Whether somebody whom an address names is connected. */
  reaches(address: string): boolean {
    const parsed = parseAddress(address);
    return parsed?.kind === "poll" && this.#has(parsed);
  }

  groups(): readonly string[] {
    return this.#roster.groups();
  }

  /** Groups of which somebody has room for work. */
  wanting(): readonly string[] {
    const fits = (member: Member) => hasRoom(member, { stale: false });
    return this.groups().filter((group) => this.#roster.some(group, fits));
  }

  /** Who is here, and what waits. */
  census(): Census {
    return takeCensus(this.#roster.all(), this.#offers.values(), this.#overflowed);
  }

  places(): readonly Place[] {
    return this.#roster.places();
  }

  /** Follows what becomes of tasks: one that is no longer pending needs no worker, and leaves room for the next. */
  seen(task: StoredTask): void {
    const fresh = task.state === "acquired" && this.#holdings.of(task.id)?.version !== task.version;
    const before = this.#holdings.seen(task, (pid) => this.#incarnationOf(pid));
    if (fresh && task.pid !== undefined) this.#heardOf(task.pid);
    const member = task.state === "pending" ? undefined : this.#drop(task.id);
    if (member) this.#fill(member);
    if (before === undefined || this.#queues.size === 0) return;
    for (const other of this.#roster.ofProcess(before)) if (other.announced) this.#fill(other);
  }

  /** Who is given the tasks that one batch leaves pending. `end` must be called when the batch is over. */
  claims(): Claims & { end(): void } {
    return this.#claimants.forBatch();
  }

  /** Tells a worker that a task has been claimed for it; takes the claim back when it cannot be told. */
  assign({ claimant: { pid, warm, group }, claimed }: Assignment): void {
    const { id, version } = claimed.task;
    const member = this.#roster.named(group, pid);
    this.#holdings.give({ id, version, pid, group }, this.#options.now());
    if (member && this.#tell(member, claimed, warm)) return;
    if (member) member.silent = true;
    this.#holdings.confirm(id, version);
    this.#options.takeBack({ id, version });
  }

  notify(promise: PromiseRecord, address: PollAddress, taken: () => void): boolean {
    const { cast, group, id } = address;
    const named = id === undefined ? undefined : this.#roster.named(group, id);
    const member = named ?? (cast === "any" ? this.#roster.next(group, () => true) : undefined);
    const sent = member?.connection.send(noticeOf(promise)) === true;
    if (sent) taken();
    return sent;
  }

  /**
   * Tells a process that what it works on has settled without it: where it is given such work, and nowhere else. `false`
   * when it is not connected there.
   */
  revoke(promise: PromiseRecord, pid: string): boolean {
    const group = groupOf(promise);
    const members = [...this.#roster.ofProcess(pid)].filter(
      ({ connection }) => connection.group === group,
    );
    for (const { connection } of members) connection.send(noticeOf(promise));
    return members.length > 0;
  }

  /** Which run of a process a stream belongs to, where it is open and says so. */
  incarnationOf({ group, id }: Connection): string | undefined {
    return this.#roster.named(group, id)?.connection.incarnation;
  }

  /** Offers what has been left unanswered to others, and what found every buffer full again. */
  sweep(): void {
    const before = this.#options.now() - ANSWER_TIMEOUT_MS;
    this.#takeBackUnconfirmed(before);
    for (const member of this.#roster.all()) {
      for (const offer of [...member.offers.values()]) {
        if (!offer.sent || offer.sent.at > before) continue;
        this.#detach(offer);
        offer.stale = true;
        this.#place(offer, { unlike: member });
      }
      this.#fill(member);
    }
    if (!this.#overflowed || this.#offers.size > OFFERS_MAX / 2) return;
    this.#overflowed = false;
    this.#options.refill();
  }

  /** A worker of which nothing is heard gets no more claims, and the tasks it was given are offered. */
  #takeBackUnconfirmed(before: number): void {
    for (const claim of this.#holdings.takeUnconfirmed(before)) {
      const member = this.#roster.named(claim.group, claim.pid);
      if (member) member.silent = true;
      this.#options.takeBack(claim);
    }
  }

  #silence(pid: string): void {
    for (const member of this.#roster.ofProcess(pid)) member.silent = true;
  }

  #heardOf(pid: string): void {
    for (const member of this.#roster.ofProcess(pid)) member.silent = false;
  }

  #incarnationOf(pid: string): string | undefined {
    const [member] = this.#roster.ofProcess(pid);
    return member?.connection.incarnation;
  }

  /** Takes leave of a connection that is not in its group any more. */
  #dismiss({ connection, offers }: Member): void {
    connection.closed();
    for (const offer of [...offers.values()]) {
      this.#detach(offer);
      this.#place(offer);
    }
  }

  #detach(offer: Offer): void {
    offer.sent?.to.offers.delete(offer.id);
    delete offer.sent;
  }

  /** Has an offer claimed for somebody, or gives it to whoever has room, but not to `unlike` again, or lets it wait. */
  #place(
    offer: Offer,
    { unlike, claims = true }: { unlike?: Member; claims?: boolean } = {},
  ): void {
    if (this.#isOver(offer) || (claims && this.#claim(offer, unlike))) return;
    const member = this.#pick(offer, unlike);
    if (member && this.#give(offer, member)) return;
    if (this.#options.shared && !this.#has(offer.address)) {
      this.#drop(offer.id);
      return;
    }
    const key = queueOf(offer.address, offer);
    this.#queues.set(key, (this.#queues.get(key) ?? new Set()).add(offer.id));
  }

  /** Whether somebody is connected who may take what is sent to an address. */
  #has({ cast, group, id }: PollAddress): boolean {
    if (cast === "any") return this.#roster.present(group);
    return id !== undefined && this.#roster.named(group, id) !== undefined;
  }

  /** Forgets an offer whose promise's deadline has come. */
  #isOver({ id, timeoutAt }: Offer): boolean {
    if (this.#options.now() < timeoutAt) return false;
    this.#drop(id);
    return true;
  }

  /** Has an offer that nobody has claimed for somebody, if there is somebody. */
  #claim(offer: Offer, unlike?: Member): boolean {
    const taken = this.#claimants.take(offer, { unlike });
    if (!taken) return false;
    const { claimant, release } = taken;
    offer.claiming = true;
    const assigned = (assignment: Assignment) => {
      release();
      this.assign(assignment);
    };
    const unclaimed = () => {
      release();
      delete offer.claiming;
      // Not at once again in the same way, whatever was in it.
      if (this.#offers.get(offer.id) === offer) this.#place(offer, { claims: false });
    };
    this.#options.claim(offer, claimant, { assigned, unclaimed });
    return true;
  }

  #give(offer: Offer, member: Member): boolean {
    if (!this.#hand(offer, member)) return false;
    offer.sent = { to: member, at: this.#options.now() };
    member.offers.set(offer.id, offer);
    return true;
  }

  #hand(offer: Offer, { connection }: Member): boolean {
    return connection.send(offerOf(offer, this.#options.serverUrl));
  }

  #tell({ connection }: Member, claimed: ClaimedTask, warm: boolean): boolean {
    const { serverUrl } = this.#options;
    const head = {
      ...(serverUrl !== undefined && { serverUrl }),
      ...(warm && ({ "resonate:preload": "delta" } as const)),
    };
    return connection.send({ kind: "execute", head, data: claimed });
  }

  /** Gives a connection what waits for it, as much as it has room for. */
  #fill(member: Member): void {
    const { group, id } = member.connection;
    const kinds: Pick<PollAddress, "cast" | "group" | "id">[] = [{ cast: "any", group }];
    // What is addressed to the process goes to the connection that its id names.
    if (this.#roster.named(group, id) === member) kinds.unshift({ cast: "uni", group, id });
    for (const kind of [{ stale: false }, { stale: true }]) {
      for (const address of kinds) this.#fillFrom(queueOf(address, kind), member, kind);
    }
  }

  #fillFrom(key: string, member: Member, kind: Pick<Offer, "stale">): void {
    const queue = this.#queues.get(key);
    for (const waiting of queue ?? []) {
      const offer = this.#offers.get(waiting);
      const gone =
        !offer ||
        this.#isOver(offer) ||
        (member.announced && this.#claim(offer)) ||
        (hasRoom(member, kind) && this.#give(offer, member));
      if (!gone) return;
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
    const fits = (member: Member) => member !== unlike && hasRoom(member, offer);
    const named = id === undefined ? undefined : this.#roster.named(group, id);
    if (named && fits(named)) return named;
    if (cast === "uni") return undefined;
    // Those of which nothing is heard come last.
    return (
      this.#roster.next(group, (member) => !member.silent && fits(member)) ??
      this.#roster.next(group, fits)
    );
  }
}
