/**
 * One transaction on one connection.
 *
 * I1. What a step decides on is locked until the commit, in the order of ids where it is named at once.
 * I2. A promise that was looked for and not found may be created by another writer meanwhile. It is inserted only if it is
 *     still absent, and otherwise the whole transaction is run again on what is there then.
 * I3. A branch is read, and promises of it are written, only by whoever holds the promise that it is named after: its row is
 *     locked, or its absence is held against all who would create it.
 */

import { TAG } from "@resonate-ts/protocol";
import type { ClientBase, Pool } from "pg";
import type { Change, Listener, StoredPromise } from "../../core/records.ts";
import { type Keys, OBLIGATIONS_MAX, type Search } from "../../core/step.ts";
import { hashOf, promiseOf, type Row, readPromise, scheduleOf, taskOf } from "../rows.ts";
import { search } from "../search.ts";
import type {
  Ahead,
  Found,
  Loaded,
  LoadedAwaits,
  LoadedObligations,
  Transaction,
} from "../store.ts";
import { Overtaken } from "./errors.ts";
import type { KnownRow } from "./parts.ts";
import type { RowNumbers } from "./row-numbers.ts";
import { listing } from "./search.ts";
import {
  AWAITS,
  BAR,
  BRANCH,
  BRANCHES,
  LISTENERS,
  LOCK_PROMISES,
  LOCK_SCHEDULES,
  OBLIGATIONS,
  OTHERS_IN_BRANCHES,
  RESUMED,
  RESUMED_EACH,
  UNBAR,
} from "./statements.ts";
import { loadTrees } from "./trees.ts";
import { type Rows, writing } from "./write.ts";

/** Names a transaction in the whole history of a database. */
export interface TransactionName {
  readonly number: string;
  readonly timeline: string;
}

/** Takes an instant of the database's clock; gives the one that holds. */
export type TimeOf = (instant: number) => number;

/** Of bytes, where none is given. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export class PostgresTransaction implements Transaction {
  /** What the database calls it; it has a name as soon as it has written. */
  name: TransactionName | undefined;
  /** The latest instant that was read. */
  at: number | undefined;
  readonly #query: Query;
  readonly #numbers: RowNumbers;
  readonly #time: TimeOf | undefined;
  readonly #rows: Rows;
  /** Ids that were looked for and not found. */
  readonly #absent = new Set<string>();
  /** Those of them that nobody else can create before the end of this transaction. */
  readonly #barred = new Set<string>();
  /** Branches that were read and had nothing, while the promise that they are named after was absent and not barred. */
  readonly #seenEmpty = new Set<string>();

  constructor(
    query: Query,
    { numbers, time }: { readonly numbers: RowNumbers; readonly time: TimeOf | undefined },
  ) {
    this.#query = query;
    this.#numbers = numbers;
    this.#time = time;
    this.#rows = {
      promises: new Map(),
      seqs: new Map(),
      schedules: new Set(),
      fresh: () => numbers.take(),
    };
  }

  async load(keys: Keys): Promise<Loaded> {
    const { promises = [], obligations = [], listeners = [], awaits = [] } = keys;
    const { schedules = [], trees = [] } = keys;
    const found = promises.length > 0 ? await this.#lockPromises(promises) : [];
    await this.#learn([...obligations, ...awaits, ...listeners.map(({ awaited }) => awaited)]);
    return {
      promises: found.map(({ promise }) => promise),
      tasks: found.flatMap(({ task }) => task ?? []),
      obligations: obligations.length > 0 ? await this.#obligations(obligations) : [],
      listeners: listeners.length > 0 ? await this.#listeners(listeners) : [],
      awaits: awaits.length > 0 ? await this.#awaits(awaits) : [],
      schedules: schedules.length > 0 ? await this.#schedules(schedules) : [],
      trees: await loadTrees(trees, this.#query, this.#rows.seqs),
      ...(this.at !== undefined && { at: this.at }),
    };
  }

  async write(changes: readonly Change[]): Promise<void> {
    const created = changes.filter(
      (change) =>
        "put" in change && change.put === "promise" && !this.#rows.promises.has(change.record.id),
    );
    await this.#numbers.reserve(created.length, this.#query);
    await this.#holdBranches(changes);
    // What one statement deletes it cannot insert again.
    const end = changes.findLastIndex(
      (change) => "delete" in change && change.delete === "promise",
    );
    await this.#write(changes.slice(0, end + 1));
    await this.#write(changes.slice(end + 1));
  }

  async branch(branch: string, bytesMax = NO_LIMIT): Promise<readonly StoredPromise[]> {
    await this.#hold([branch]);
    const read = async () => {
      const rows = await this.#query(BRANCH, [bytesMax, hashOf(branch), branch], "branch");
      const promises = rows.map(promiseOf).filter(({ tags }) => tags[TAG.branch] === branch);
      for (const { id } of promises) this.#checkFound(id);
      return promises;
    };
    const found = await read();
    if (this.#holds(branch)) return found;
    // As a rule this transaction is about to create it, and so to hold it: whether there is nothing still is looked at then.
    if (found.length === 0) {
      this.#seenEmpty.add(branch);
      return found;
    }
    await this.#bar([branch]);
    return read();
  }

  /** What has to be made sure of before the commit. */
  async verify(): Promise<void> {
    const branches = [...this.#seenEmpty];
    if (branches.length === 0) return;
    await this.#bar(branches.filter((branch) => !this.#holds(branch)));
    const hashes = branches.map(hashOf);
    const own = [...this.#rows.promises.values()].map(({ seq }) => seq);
    const rows = await this.#query(OTHERS_IN_BRANCHES, [hashes, own], "others in branches");
    const others = rows.filter((row) => {
      const branch = promiseOf(row).tags[TAG.branch];
      return branch !== undefined && this.#seenEmpty.has(branch);
    });
    if (others.length > 0) {
      throw new Overtaken("another writer created a promise of a branch that was read as empty");
    }
  }

  async resumed(awaiter: string, bytesMax = NO_LIMIT): Promise<readonly StoredPromise[]> {
    const seq = this.#rows.promises.get(awaiter)?.seq;
    if (seq === undefined) return [];
    return (await this.#query(RESUMED, [bytesMax, seq], "resumed")).map(promiseOf);
  }

  async ahead(
    {
      branches,
      awaiters,
    }: { readonly branches: readonly string[]; readonly awaiters: readonly string[] },
    bytesMax: number,
  ): Promise<Ahead> {
    return {
      branches: branches.length > 0 ? await this.#branches(branches, bytesMax) : new Map(),
      resumed: awaiters.length > 0 ? await this.#resumed(awaiters, bytesMax) : new Map(),
    };
  }

  search(wanted: Search, at: number, bytesMax?: number): Promise<Found> {
    return search(listing(this.#query), wanted, { at, bytesMax });
  }

  async #branches(branches: readonly string[], bytesMax: number): Promise<Ahead["branches"]> {
    await this.#hold(branches);
    const asked = [bytesMax, branches.map(hashOf), branches];
    const found = byPlace(branches, await this.#query(BRANCHES, asked, "branches"));
    for (const [branch, rows] of found) {
      const promises = rows.filter(({ tags }) => tags[TAG.branch] === branch);
      for (const { id } of promises) this.#checkFound(id);
      found.set(branch, promises);
      if (this.#holds(branch)) continue;
      // As in `branch`; what has to be held first is read by itself.
      if (promises.length === 0) this.#seenEmpty.add(branch);
      else found.delete(branch);
    }
    return found;
  }

  async #resumed(awaiters: readonly string[], bytesMax: number): Promise<Ahead["resumed"]> {
    const stored = awaiters.filter((id) => this.#rows.promises.has(id));
    const seqs = stored.map((id) => this.#rows.promises.get(id)?.seq);
    const rows = await this.#query(RESUMED_EACH, [bytesMax, seqs], "resumed each");
    return byPlace(stored, rows);
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const wanted = writing(changes, this.#rows);
    if (!wanted) return;
    const [row] = await this.#query(wanted.text, wanted.values, wanted.name);
    this.name = { number: String(row?.["number"]), timeline: String(row?.["timeline"]) };
    if (Number(row?.["inserted"]) < wanted.inserts) {
      throw new Overtaken("another writer created what this transaction was about to create");
    }
  }

  async #lockPromises(ids: readonly string[]): Promise<readonly KnownRow[]> {
    const rows = await this.#query(LOCK_PROMISES, [ids], "lock promises");
    const last = rows.at(-1)?.["at"];
    if (this.#time && typeof last === "number") this.at = this.#time(last);
    const found = rows.map((row) => {
      const known = knownRow(row);
      const { id } = known.promise;
      this.#checkFound(id);
      this.#rows.promises.set(id, known);
      return known;
    });
    for (const id of ids) if (!this.#rows.promises.has(id)) this.#absent.add(id);
    return found;
  }

  /** What was decided on the absence of a promise does not go together with what is decided on its presence. */
  #checkFound(id: string): void {
    if (this.#absent.has(id) && !this.#rows.promises.has(id)) {
      throw new Overtaken("another writer created what this transaction had not found");
    }
  }

  /** Finds the row numbers of promises that have not been seen. */
  async #learn(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#isKnown(id) && !this.#rows.seqs.has(id));
    if (unknown.length > 0) await this.#lockPromises([...new Set(unknown)]);
  }

  /** Before promises of branches are written. */
  async #holdBranches(changes: readonly Change[]): Promise<void> {
    const written = changes.flatMap((change) =>
      "put" in change && change.put === "promise" ? change.record : [],
    );
    const created = new Set(written.map(({ id }) => id));
    const branches = written.flatMap(({ tags }) => tags[TAG.branch] ?? []);
    // Whoever creates a promise holds it.
    const others = [...new Set(branches)].filter((branch) => !created.has(branch));
    if (others.length === 0) return;
    await this.#hold(others);
    await this.#bar(others.filter((branch) => !this.#holds(branch)));
  }

  /** Locks those that are there. */
  async #hold(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#isKnown(id));
    if (unknown.length > 0) await this.#lockPromises(unknown);
  }

  /** Sees to it that nobody creates these: whoever tries waits for the end of this transaction. */
  async #bar(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#numbers.reserve(ids.length, this.#query);
    const seqs = ids.map(() => this.#numbers.take());
    const inserted = await this.#query(BAR, [seqs, ids.toSorted()], "bar");
    if (inserted.length < ids.length) {
      throw new Overtaken("another writer created what this transaction had not found");
    }
    await this.#query(UNBAR, [seqs], "unbar");
    for (const id of ids) this.#barred.add(id);
  }

  #holds(id: string): boolean {
    return this.#rows.promises.has(id) || this.#barred.has(id);
  }

  #isKnown(id: string): boolean {
    return this.#rows.promises.has(id) || this.#absent.has(id);
  }

  async #obligations(ids: readonly string[]): Promise<readonly LoadedObligations[]> {
    const of = new Map<number, { readonly callbacks: string[]; readonly listeners: string[] }>();
    for (const id of ids) {
      const seq = this.#seqOf(id);
      if (seq !== undefined) of.set(seq, { callbacks: [], listeners: [] });
    }
    const seqs = [...of.keys()];
    for (const row of await this.#query(OBLIGATIONS, [seqs], "obligations")) {
      const entry = of.get(Number(row["awaited"]));
      if (row["awaiter"] === null) entry?.listeners.push(String(row["address"]));
      else {
        entry?.callbacks.push(String(row["awaiter"]));
        this.#rows.seqs.set(String(row["awaiter"]), Number(row["awaiter_seq"]));
      }
    }
    return ids.map((id) => {
      const { callbacks = [], listeners = [] } = of.get(this.#seqOf(id) ?? -1) ?? {};
      return {
        id,
        callbacks: callbacks.slice(0, OBLIGATIONS_MAX),
        listeners: listeners.slice(0, OBLIGATIONS_MAX),
        more: Math.max(callbacks.length, listeners.length) > OBLIGATIONS_MAX,
      };
    });
  }

  async #listeners(
    keys: readonly { readonly awaited: string; readonly address: string }[],
  ): Promise<readonly Listener[]> {
    const known = keys.filter(({ awaited }) => this.#seqOf(awaited) !== undefined);
    const ids = new Map(known.map(({ awaited }) => [this.#seqOf(awaited), awaited]));
    const seqs = known.map(({ awaited }) => this.#seqOf(awaited));
    const addresses = known.map(({ address }) => address);
    const rows = await this.#query(LISTENERS, [seqs, addresses], "listeners");
    return rows.map((row) => ({
      awaited: ids.get(Number(row["awaited"])) ?? "",
      address: String(row["address"]),
      ...(row["notify_at"] !== null && { notifyAt: Number(row["notify_at"]) }),
    }));
  }

  async #awaits(ids: readonly string[]): Promise<readonly LoadedAwaits[]> {
    const seqs = ids.flatMap((id) => this.#seqOf(id) ?? []);
    const of = new Map(seqs.map((seq): [number, string[]] => [seq, []]));
    for (const row of await this.#query(AWAITS, [seqs], "awaits")) {
      of.get(Number(row["awaiter"]))?.push(String(row["awaited"]));
    }
    return ids.map((id) => {
      const awaited = of.get(this.#seqOf(id) ?? -1) ?? [];
      const more = awaited.length > OBLIGATIONS_MAX;
      return { id, awaited: awaited.slice(0, OBLIGATIONS_MAX), more };
    });
  }

  async #schedules(ids: readonly string[]) {
    const rows = await this.#query(LOCK_SCHEDULES, [ids], "lock schedules");
    const records = rows.map(scheduleOf);
    for (const { id } of records) this.#rows.schedules.add(id);
    return records;
  }

  #seqOf(id: string): number | undefined {
    return this.#rows.promises.get(id)?.seq ?? this.#rows.seqs.get(id);
  }
}

/** Asks one question; with `name`, as a prepared statement where those may be used. */
export type Query = (
  text: string,
  values: readonly unknown[],
  name: string,
) => Promise<readonly Row[]>;

export function queryOn(
  client: ClientBase | Pool,
  { prepare }: { readonly prepare: boolean },
): Query {
  return async (text, values, name) => {
    const config = { text, values: [...values], ...(prepare && { name }) };
    return (await client.query<Row>(config)).rows;
  };
}

/** The promises of rows, by which of `asked` they were found for; without any where a row has none. */
function byPlace(asked: readonly string[], rows: readonly Row[]): Map<string, StoredPromise[]> {
  const found = new Map<string, StoredPromise[]>();
  for (const row of rows) {
    const name = asked[Number(row["place"]) - 1] ?? "";
    const promises = found.get(name) ?? [];
    if (row["id"] !== null) promises.push(promiseOf(row));
    found.set(name, promises);
  }
  return found;
}

function knownRow(row: Row): KnownRow {
  const { promise, bornCrc } = readPromise(row);
  const task = row["task_state"] === null ? undefined : taskOf(row);
  return { seq: Number(row["seq"]), bornCrc, promise, task };
}
