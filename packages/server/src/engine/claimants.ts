/**
 * Who can be given claims.
 *
 * I1. No process is given a claim unless it announced the function, and what it holds, with what is being claimed for
 *     it, is less than its slots; nor more than `GIVEN_MAX` at a time.
 */
import { type Address, parseAddress } from "@resonate-ts/protocol";
import type { Change, StoredTask } from "../core/records.ts";
import { type Call, callOf } from "./call.ts";
import type { Claimant, Claims, ExecuteOffer } from "./execute.ts";
import type { Holdings, Suspended } from "./holdings.ts";
import type { Member, Roster } from "./roster.ts";

/** Most claims that one process was given and that have not ended; more of its work it asks for itself. */
export const GIVEN_MAX = 256;

/** A task that wants a worker. */
export interface Wanted {
  readonly id: string;
  readonly version: number;
  readonly address: Extract<Address, { readonly kind: "poll" }>;
  readonly call: Call | undefined;
}

/** What a batch has done that is not committed yet. */
interface Unseen {
  /** What processes hold beyond what has been seen of them; negative where it is less. */
  readonly loads: Map<string, { held: number; given: number }>;
  /** The tasks that were suspended in it, and by whom. */
  readonly suspended: Map<string, Suspended>;
}

const SEEN: Unseen = { loads: new Map(), suspended: new Map() };

export class Claimants<O> {
  readonly #roster: Roster<O>;
  readonly #holdings: Holdings;

  constructor(roster: Roster<O>, holdings: Holdings) {
    this.#roster = roster;
    this.#holdings = holdings;
  }

  /** Who is to be given a task, and the reservation that keeps its place until it is called. */
  take(
    wanted: Wanted,
    {
      unlike,
      unseen = SEEN,
    }: { readonly unlike?: Member<O> | undefined; readonly unseen?: Unseen } = {},
  ): { readonly claimant: Claimant; readonly release: () => void } | undefined {
    const { call } = wanted;
    const member =
      call && this.#find(wanted, unseen, (one) => one !== unlike && this.#fits(one, call, unseen));
    if (!member?.announced) return undefined;
    const { group, id: pid } = member.connection;
    const { ttl } = member.announced;
    const claimant = { pid, group, ttl, warm: this.#warm(wanted, unseen) === member };
    return { claimant, release: this.#holdings.reserve(pid) };
  }

  /** Who is given the tasks that one batch leaves pending. `end` ends what was reserved, when the batch is over. */
  forBatch(): Claims & { end(): void } {
    const reserved: (() => void)[] = [];
    const unseen: Unseen = { loads: new Map(), suspended: new Map() };
    const free = () => {
      for (const release of reserved.splice(0)) release();
    };
    return {
      begin: (changes) => {
        // The transaction may be run again: nothing of what it reserved before counts.
        free();
        unseen.loads.clear();
        unseen.suspended.clear();
        this.#count(changes, unseen);
        this.#noteSuspended(changes, unseen);
      },
      claimantOf: ({ task, promise, address: target }: ExecuteOffer) => {
        const address = parseAddress(target);
        // Nobody is there: the parameters need not be read.
        if (address?.kind !== "poll" || !this.#roster.present(address.group)) return undefined;
        const taken = this.take({ ...task, address, call: callOf(promise.param) }, { unseen });
        if (taken) reserved.push(taken.release);
        return taken?.claimant;
      },
      end: free,
    };
  }

  /** The one that is named, else the one that has the execution in memory, else the next in turn. */
  #find(
    wanted: Wanted,
    unseen: Unseen,
    fits: (member: Member<O>) => boolean,
  ): Member<O> | undefined {
    const { cast, group, id } = wanted.address;
    const named = id === undefined ? undefined : this.#roster.named(group, id);
    if (named) return fits(named) ? named : undefined;
    if (cast === "uni") return undefined;
    const warm = this.#warm(wanted, unseen);
    return warm && fits(warm) ? warm : this.#roster.next(group, fits);
  }

  /** Who suspended the task last and is the same process still. */
  #warm(wanted: Wanted, unseen: Unseen): Member<O> | undefined {
    const { id, version } = wanted;
    const now = unseen.suspended.get(id);
    const suspended = now?.version === version ? now : this.#holdings.suspended(wanted);
    const member = suspended && this.#roster.named(wanted.address.group, suspended.pid);
    return member?.connection.incarnation === suspended?.incarnation ? member : undefined;
  }

  #fits({ announced, silent, connection }: Member<O>, call: Call, unseen: Unseen): boolean {
    if (!announced || silent) return false;
    if (!announced.functions.get(call.func)?.has(call.version)) return false;
    const { held, given, reserved } = this.#holdings.load(connection.id);
    const more = unseen.loads.get(connection.id) ?? { held: 0, given: 0 };
    const givenMax = Math.min(announced.slots, GIVEN_MAX);
    return (
      held + more.held + reserved < announced.slots && given + more.given + reserved < givenMax
    );
  }

  #count(changes: readonly Change[], unseen: Unseen): void {
    const tasks = new Map<string, StoredTask>();
    for (const change of changes) {
      if ("put" in change && change.put === "task") tasks.set(change.record.id, change.record);
    }
    for (const [id, { state, version, pid }] of tasks) {
      const before = this.#holdings.of(id);
      const after = state === "acquired" ? pid : undefined;
      if (after !== undefined && before?.version === version) continue;
      if (before) add(unseen.loads, before.pid, { held: -1, given: before.given ? -1 : 0 });
      if (after !== undefined) add(unseen.loads, after, { held: 1, given: 0 });
    }
  }

  /** What was suspended and woken in one batch goes back to whoever suspended it. */
  #noteSuspended(changes: readonly Change[], { suspended }: Unseen): void {
    const claims = new Map<string, { readonly version: number; readonly pid: string }>();
    for (const change of changes) {
      if (!("put" in change) || change.put !== "task") continue;
      const { id, state, version, pid } = change.record;
      if (state === "acquired" && pid !== undefined) claims.set(id, { version, pid });
      const holder = claims.get(id) ?? this.#holdings.of(id);
      if (state !== "suspended" || holder?.version !== version) continue;
      const [member] = this.#roster.ofProcess(holder.pid);
      const { pid: by } = holder;
      suspended.set(id, { pid: by, version, incarnation: member?.connection.incarnation });
    }
  }
}

function add(
  loads: Unseen["loads"],
  pid: string,
  { held, given }: { held: number; given: number },
): void {
  const before = loads.get(pid) ?? { held: 0, given: 0 };
  loads.set(pid, { held: before.held + held, given: before.given + given });
}
