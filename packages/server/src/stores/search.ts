/** Searches, the same on every store: by id, in pages. A filter that no index serves looks at a bounded number of records. */
import { TAG, type Tags } from "@resonate-ts/protocol";
import { project, projectTask } from "../core/project.ts";
import type { ScheduleRecord, StoredPromise } from "../core/records.ts";
import type { Search } from "../core/step.ts";
import type { Found, Pending } from "./store.ts";

/** The tags that stores index, those that say most first. */
export const INDEXED_TAGS = [TAG.caller, TAG.branch, TAG.origin] as const;
export type IndexedTag = (typeof INDEXED_TAGS)[number];

/** What a store must be able to list, each by id, after the id `after`. */
export interface Listing {
  promises(after: string): Iterable<StoredPromise>;
  /** At least those whose tag `name` is `text`. */
  tagged(name: IndexedTag, text: string, after: string): Iterable<StoredPromise>;
  tasks(after: string): Iterable<Pending>;
  schedules(after: string): Iterable<ScheduleRecord>;
}

/** Most records one page looks at. What it has not reached is on the next page. */
const SCAN_MAX = 20_000;

/** One page of what is wanted, with states as of `at`. */
export function search(listing: Listing, wanted: Search, at: number): Found {
  const { limit, after = "" } = wanted;
  switch (wanted.kind) {
    case "promises": {
      const { state, tags } = wanted;
      const page = collect(promisesFor(listing, tags, after), limit, (promise) => {
        const inState = state === undefined || project(promise, at).state === state;
        return inState && hasTags(promise.tags, tags) ? promise : undefined;
      });
      return { kind: "promises", ...page };
    }
    case "tasks": {
      const { state } = wanted;
      const page = collect(named(listing.tasks(after)), limit, ({ task, promise }) => {
        const now = projectTask(task, project(promise, at));
        return state === undefined || now.state === state ? now : undefined;
      });
      return { kind: "tasks", ...page };
    }
    case "schedules": {
      const { tags } = wanted;
      const page = collect(listing.schedules(after), limit, (schedule) =>
        hasTags(schedule.promiseTags, tags) ? schedule : undefined,
      );
      return { kind: "schedules", ...page };
    }
  }
}

function promisesFor(listing: Listing, tags: Tags, after: string): Iterable<StoredPromise> {
  for (const name of INDEXED_TAGS) {
    const text = tags[name];
    if (text !== undefined) return listing.tagged(name, text, after);
  }
  return listing.promises(after);
}

function* named(tasks: Iterable<Pending>): Iterable<Pending & { readonly id: string }> {
  for (const pair of tasks) yield { ...pair, id: pair.task.id };
}

/** The first `limit` records that `recordOf` gives, and the id to go on after when entries are left. */
function collect<E extends { readonly id: string }, R>(
  entries: Iterable<E>,
  limit: number,
  recordOf: (entry: E) => R | undefined,
): { readonly records: readonly R[]; readonly next?: string } {
  const records: R[] = [];
  let last: string | undefined;
  let scanned = 0;
  for (const entry of entries) {
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
