/**
 * One transaction on one connection.
 *
 * I1. What a step decides on is locked until the commit, in the order of ids where it is named at once.
 * I2. A promise that was looked for and not found may be created by another writer meanwhile. It is inserted only if it is
 *     still absent, and otherwise the whole transaction is run again on what is there then.
 */

import { TAG } from "@resonate-ts/protocol";
import type { ClientBase, Pool } from "pg";
import type { Change, Listener, StoredPromise } from "../../core/records.ts";
import { type Keys, OBLIGATIONS_MAX, type Search } from "../../core/step.ts";
import { hashOf, promiseOf, type Row, readPromise, scheduleOf, taskOf } from "../rows.ts";
import { search } from "../search.ts";
import type { Found, Loaded, LoadedAwaits, LoadedObligations, Transaction } from "../store.ts";
import { Overtaken } from "./errors.ts";
import type { KnownRow } from "./parts.ts";
import type { RowNumbers } from "./row-numbers.ts";
import { listing } from "./search.ts";
import {
  AWAITS,
  BRANCH,
  LISTENERS,
  LOCK_PROMISES,
  LOCK_SCHEDULES,
  OBLIGATIONS,
  RESUMED,
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
    // What one statement deletes it cannot insert again.
    const end = changes.findLastIndex(
      (change) => "delete" in change && change.delete === "promise",
    );
    await this.#write(changes.slice(0, end + 1));
    await this.#write(changes.slice(end + 1));
  }

  async branch(branch: string, bytesMax = NO_LIMIT): Promise<readonly StoredPromise[]> {
    const rows = await this.#query(BRANCH, [bytesMax, hashOf(branch), branch], "branch");
    return rows.map(promiseOf).filter(({ tags }) => tags[TAG.branch] === branch);
  }

  async resumed(awaiter: string, bytesMax = NO_LIMIT): Promise<readonly StoredPromise[]> {
    const seq = this.#rows.promises.get(awaiter)?.seq;
    if (seq === undefined) return [];
    return (await this.#query(RESUMED, [bytesMax, seq], "resumed")).map(promiseOf);
  }

  search(wanted: Search, at: number, bytesMax?: number): Promise<Found> {
    return search(listing(this.#query), wanted, { at, bytesMax });
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
    return rows.map((row) => {
      const known = knownRow(row);
      this.#rows.promises.set(known.promise.id, known);
      return known;
    });
  }

  /** Finds the row numbers of promises that have not been seen. */
  async #learn(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#rows.promises.has(id) && !this.#rows.seqs.has(id));
    if (unknown.length > 0) await this.#lockPromises([...new Set(unknown)]);
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

function knownRow(row: Row): KnownRow {
  const { promise, bornCrc } = readPromise(row);
  const task = row["task_state"] === null ? undefined : taskOf(row);
  return { seq: Number(row["seq"]), bornCrc, promise, task };
}
