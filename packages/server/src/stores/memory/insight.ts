/** What those who look on are shown of the memory. */
import { TAG, type Value } from "@resonate-ts/protocol";
import type { StoredTask } from "../../core/records.ts";
import {
  type Count,
  type Insight,
  type NewestFirst,
  type Outline,
  PARAM_BYTES_MAX,
  PARAM_HEAD_LENGTH,
  type Tagged,
} from "../insight.ts";
import { byBytes } from "./ordered-index.ts";
import type { Entry, Tables } from "./tables.ts";

/** The tables as they are when no transaction is under way: what is not kept is shown to nobody. */
type Ask = <T>(question: (tables: Tables) => T) => Promise<T>;

export class MemoryInsight implements Insight {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  runs({ before, limit }: NewestFirst): Promise<readonly Outline[]> {
    const from = before === undefined ? undefined : { seq: before, id: "" };
    return this.#ask((tables) =>
      entriesOf(
        tables,
        tables.runs
          .after(from)
          .take(limit)
          .map(({ id }) => id),
      ).map(outlineOf),
    );
  }

  halted({ before = Number.POSITIVE_INFINITY, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#ask(({ parked }) =>
      [...parked]
        .filter(({ task, seq }) => task?.state === "halted" && seq < before)
        .sort((one, other) => other.seq - one.seq)
        .slice(0, limit)
        .map(outlineOf),
    );
  }

  named(prefix: string, { after, limit }: { after: string; limit: number }) {
    return this.#ask(({ ids, promises }) => {
      const from = byBytes(prefix, after) > 0 ? ids.from(prefix) : ids.after(after);
      const found: Outline[] = [];
      for (const id of from) {
        if (!id.startsWith(prefix) || found.length === limit) break;
        const entry = promises.get(id);
        if (entry) found.push(outlineOf(entry));
      }
      return found;
    });
  }

  outlines(ids: readonly string[]): Promise<readonly Outline[]> {
    return this.#ask((tables) => entriesOf(tables, new Set(ids)).map(outlineOf));
  }

  members(origins: readonly string[], part: { after: number; limit: number }) {
    return this.#tagged(TAG.origin, origins, part);
  }

  called(callers: readonly string[], part: { after: number; limit: number }) {
    return this.#tagged(TAG.caller, callers, part);
  }

  whole(id: string) {
    return this.#ask(({ promises }) => {
      const entry = promises.get(id);
      return entry && { promise: entry.promise, ...(entry.task && { task: entry.task }) };
    });
  }

  awaiters(id: string, limit: number): Promise<readonly string[]> {
    return this.#ask(
      ({ promises }) =>
        promises
          .get(id)
          ?.callbacks?.after()
          .take(limit)
          .map(({ promise }) => promise.id)
          .toArray() ?? [],
    );
  }

  listeners(id: string, limit: number): Promise<readonly string[]> {
    return this.#ask(({ promises }) => [
      ...(promises.get(id)?.listeners?.keys().take(limit) ?? []),
    ]);
  }

  awaits(ids: readonly string[], limit: number) {
    return this.#ask((tables) =>
      entriesOf(tables, ids)
        .flatMap(({ promise: { id: awaiter }, awaits }) =>
          [...(awaits ?? [])]
            // One that has been forgotten is waited for no longer.
            .filter((entry) => tables.promises.get(entry.promise.id) === entry)
            .map(({ promise }) => ({ awaiter, awaited: promise.id })),
        )
        .slice(0, limit),
    );
  }

  open(limit: number) {
    return this.#ask(({ duePromises, dueTasks, promises, parked, held }) => {
      const ofTasks = (state: StoredTask["state"]) =>
        counted(
          [...parked].filter(({ task }) => task?.state === state),
          limit,
        );
      const pending = dueTasks
        .after()
        .filter(({ id }) => promises.get(id)?.task?.state === "pending");
      return {
        promises: counted(
          duePromises.after().filter(({ id }) => promises.get(id)?.promise.state === "pending"),
          limit,
        ),
        pending: counted(pending, limit),
        acquired: counted(
          [...held.values()].flatMap((entries) => [...entries]),
          limit,
        ),
        suspended: ofTasks("suspended"),
        halted: ofTasks("halted"),
      };
    });
  }

  held(limit: number): Promise<ReadonlyMap<string, number>> {
    return this.#ask(
      ({ held }) =>
        new Map(
          held
            .entries()
            .take(limit)
            .map(([pid, entries]) => [pid, entries.size]),
        ),
    );
  }

  async bytes(): Promise<undefined> {}

  #tagged(
    name: typeof TAG.origin | typeof TAG.caller,
    texts: readonly string[],
    { after, limit }: { after: number; limit: number },
  ): Promise<readonly Tagged[]> {
    return this.#ask((tables) =>
      texts
        .values()
        .flatMap((text, by) =>
          entriesOf(tables, tables.tagged(name, text)?.after() ?? [])
            .filter(({ seq }) => by > 0 || seq > after)
            .sort((one, other) => one.seq - other.seq)
            .map((entry) => ({ outline: outlineOf(entry), by })),
        )
        .take(limit)
        .toArray(),
    );
  }
}

function entriesOf({ promises }: Tables, ids: Iterable<string>): readonly Entry[] {
  return [...ids].flatMap((id) => promises.get(id) ?? []);
}

/** Counted no further than one more than `limit`. */
function counted(entries: Iterable<unknown>, limit: number): Count {
  const { length } = Iterator.from(entries)
    .take(limit + 1)
    .toArray();
  return { count: Math.min(length, limit), more: length > limit };
}

function outlineOf({ seq, promise, task }: Entry): Outline {
  const { id, state, timeoutAt, createdAt, settledAt, tags, param, value } = promise;
  const paramBytes = bytesOf(param);
  return {
    place: seq,
    id,
    state,
    timeoutAt,
    createdAt,
    ...(settledAt !== undefined && { settledAt }),
    tags,
    ...(paramBytes <= PARAM_BYTES_MAX && {
      paramHead: JSON.stringify(param).slice(0, PARAM_HEAD_LENGTH),
    }),
    paramBytes,
    valueBytes: bytesOf(value),
    ...(task && { task }),
  };
}

/** Of the JSON text, about: what is long in it is base64, which JSON carries as it is. */
function bytesOf({ headers, data }: Value): number {
  const rest = JSON.stringify({ headers, ...(data !== undefined && { data: "" }) });
  return Buffer.byteLength(rest) + (data?.length ?? 0);
}
