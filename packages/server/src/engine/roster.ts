/**
 * Who is connected.
 *
 * I1. Of the connections of one group and id, one is the one that the id names: the first that is still open, or one
 *     that took another's place.
 */
import type { Place } from "../stores/store.ts";
import type { Connection } from "./engine.ts";

/** What a worker said of itself; until then, and where it says nothing, it is given no claims. */
export interface Announcement {
  /** Length of the leases it is given, in ms. */
  readonly ttl: number;
  /** Most tasks it works on at a time. */
  readonly slots: number;
  /** The versions it has of each function. */
  readonly functions: ReadonlyMap<string, ReadonlySet<number>>;
}

/** A connection. `O` is what it has been offered and has not answered. */
export interface Member<O> {
  readonly connection: Connection;
  /** Since when, in ms since the epoch. */
  readonly connectedAt: number;
  /** Unanswered, the longest first. */
  readonly offers: Map<string, O>;
  announced: Announcement | undefined;
  /**
   * It was given a claim and nothing was heard of it, or it gave that back at once: it is given no more until it acts
   * under a claim.
   */
  silent: boolean;
}

interface Group<O> {
  /** Those that were asked longest ago first. */
  readonly turn: Set<Member<O>>;
  readonly named: Map<string, Member<O>>;
}

export class Roster<O> {
  readonly #groups = new Map<string, Group<O>>();
  readonly #members = new Map<Connection, Member<O>>();
  readonly #processes = new Map<string, Set<Member<O>>>();

  get size(): number {
    return this.#members.size;
  }

  /** Adds a connection. One of the same group and id gives way if it is dead, or if both know of leases. */
  open(
    connection: Connection,
    connectedAt: number,
  ): {
    readonly member: Member<O>;
    readonly replaced: Member<O> | undefined;
  } {
    const { group: name, id } = connection;
    const previous = this.named(name, id);
    const replaced = previous && givesWay(previous.connection, connection) ? previous : undefined;
    if (replaced) this.close(replaced.connection);
    const member: Member<O> = {
      connection,
      connectedAt,
      offers: new Map(),
      announced: undefined,
      silent: false,
    };
    const group = this.#groups.get(name) ?? { turn: new Set(), named: new Map() };
    this.#groups.set(name, group);
    group.turn.add(member);
    if (!group.named.has(id)) group.named.set(id, member);
    this.#members.set(connection, member);
    this.#processes.set(id, (this.#processes.get(id) ?? new Set()).add(member));
    return { member, replaced };
  }

  /** Removes a connection; `undefined` if it is not there any more. */
  close(connection: Connection): Member<O> | undefined {
    const member = this.#members.get(connection);
    const group = this.#groups.get(connection.group);
    if (!member || !group) return undefined;
    this.#members.delete(connection);
    group.turn.delete(member);
    if (group.turn.size === 0) this.#groups.delete(connection.group);
    const process = this.#processes.get(connection.id);
    process?.delete(member);
    if (process?.size === 0) this.#processes.delete(connection.id);
    if (group.named.get(connection.id) === member) nameAnother(group, connection.id);
    return member;
  }

  has({ connection }: Member<O>): boolean {
    return this.#members.has(connection);
  }

  /** Whether anybody of a group is there. */
  present(group: string): boolean {
    return this.#groups.has(group);
  }

  groups(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** Who is there, each once. */
  places(): readonly Place[] {
    return [...this.#groups].flatMap(([group, { named }]) =>
      [...named.keys()].map((id) => ({ group, id })),
    );
  }

  /** Whether a group has somebody who fits. */
  some(group: string, fits: (member: Member<O>) => boolean): boolean {
    return this.#groups.get(group)?.turn.values().some(fits) ?? false;
  }

  /** The connection that an address with an id names. */
  named(group: string, id: string): Member<O> | undefined {
    return this.#groups.get(group)?.named.get(id);
  }

  /** The connections of a process, in any group. */
  ofProcess(pid: string): ReadonlySet<Member<O>> {
    return this.#processes.get(pid) ?? new Set();
  }

  /** The first in turn of those that fit; it goes to the end of the line. */
  next(group: string, fits: (member: Member<O>) => boolean): Member<O> | undefined {
    const { turn } = this.#groups.get(group) ?? {};
    for (const member of turn ?? []) {
      if (!fits(member)) continue;
      turn?.delete(member);
      turn?.add(member);
      return member;
    }
    return undefined;
  }

  all(): readonly Member<O>[] {
    return [...this.#members.values()];
  }

  clear(): void {
    this.#groups.clear();
    this.#members.clear();
    this.#processes.clear();
  }
}

/** Another run of the process has ended the one before; clients that know of leases have one stream at a time. */
function givesWay(previous: Connection, next: Connection): boolean {
  const { incarnation } = previous;
  const ended = incarnation !== undefined && next.incarnation !== undefined;
  return (
    (ended && incarnation !== next.incarnation) || (previous.lease === true && next.lease === true)
  );
}

function nameAnother<O>({ turn, named }: Group<O>, id: string): void {
  named.delete(id);
  for (const member of turn) {
    if (member.connection.id !== id) continue;
    named.set(id, member);
    return;
  }
}
