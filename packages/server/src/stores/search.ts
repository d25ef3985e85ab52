/** Searches, the same on every store: by id, in pages. A filter that no index serves looks at a bounded number of records. */
import { TAG, type Tags } from "@resonate-ts/protocol";
import { project, projectTask } from "../core/project.ts";
import type { ScheduleRecord, StoredPromise } from "../core/records.ts";
import type { Search } from "../core/step.ts";
import type { Found, Pending } from "./store.ts";

/** The tags that stores index, those that say most first. */
export const INDEXED_TAGS = [TAG.caller, TAG.branch, TAG.origin] as const;
export type IndexedTag = (typeof INDEXED_TAGS)[number];

/** Entries that are there, or come page by page. */
type Entries<T> = Iterable<T> | AsyncIterable<T>;

/** What a store must be able to list, each by id, after the id `after`. */
export interface Listing {
  promises(after: string): Entries<StoredPromise>;
  /** At least those whose tag `name` is `text`. */
  tagged(name: IndexedTag, text: string, after: string): Entries<StoredPromise>;
  tasks(after: string): Entries<Pending>;
  schedules(after: string): Entries<ScheduleRecord>;
}

/** Most records one page looks at. What it has not reached is on the next page. */
const SCAN_MAX = 20_000;

/** One page of what is wanted, with states as of `at`. */
export async function search(listing: Listing, wanted: Search, at: number): Promise<Found> {
  const { limit, after = "" } = wanted;
  switch (wanted.kind) {
    case "promises": {
      const { state, tags } = wanted;
      const page = await collect(promisesFor(listing, tags, after), limit, (promise) => {
        const inState = state === undefined || project(promise, at).state === state;
        return inState && hasTags(promise.tags, tags) ? promise : undefined;
      });
      return { kind: "promises", ...page };
    }
    case "tasks": {
      const { state } = wanted;
      const page = await collect(named(listing.tasks(after)), limit, ({ task, promise }) => {
        const now = projectTask(task, project(promise, at));
        return state === undefined || now.state === state ? now : undefined;
      });
      return { kind: "tasks", ...page };
    }
    case "schedules": {
      const { tags } = wanted;
      const page = await collect(listing.schedules(after), limit, (schedule) =>
        hasTags(schedule.promiseTags, tags) ? schedule : undefined,
      );
      return { kind: "schedules", ...page };
    }
  }
}

function promisesFor(listing: Listing, tags: Tags, after: string): Entries<StoredPromise> {
  for (const name of INDEXED_TAGS) {
    const text = tags[name];
    if (text !== undefined) return listing.tagged(name, text, after);
  }
  return listing.promises(after);
}

async function* named(tasks: Entries<Pending>): AsyncIterable<Pending & { readonly id: string }> {
  for await (const pair of tasks) yield { ...pair, id: pair.task.id };
}

/** The first `limit` records that `recordOf` gives, and the id to go on after when entries are left. */
async function collect<E extends { readonly id: string }, R>(
  entries: Entries<E>,
  limit: number,
  recordOf: (entry: E) => R | undefined,
): Promise<{ readonly records: readonly R[]; readonly next?: string }> {
  const records: R[] = [];
  let last: string | undefined;
  let scanned = 0;
  for await (const entry of entries) {
    if (last !== undefined && (records.length === limit || scanned === SCAN_MAX)) {
      return { records, next: last };
    }
    const record = recordOf(entry);
    if (record !== undefined) records.push(record);
    last = entry.id;
    scanned++;
  }
  return { records };
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([name, value]) => tags[name] === value);
}
