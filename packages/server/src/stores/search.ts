/** Searches, the same on every store: by id, in pages. A filter that no index serves looks at a bounded number of records. */
import { TAG, type Tags } from "@resonate-ts/protocol";
import { project, projectTask } from "../core/project.ts";
import type { ScheduleRecord, StoredPromise } from "../core/records.ts";
import type { Search } from "../core/step.ts";
import { weigh } from "../core/weigh.ts";
import type { Found, Pending } from "./store.ts";

/** The tags that stores index, those that say most first. */
export const INDEXED_TAGS = [TAG.caller, TAG.branch, TAG.origin] as const;
export type IndexedTag = (typeof INDEXED_TAGS)[number];

/** Where to begin: past the id `after`, and not before `from`. */
export interface Start {
  readonly after: string;
  readonly from: string;
}

/** Entries that are there, or come as they are read. */
export type Entries<T> = Iterable<T> | AsyncIterable<T>;

/** What a store must be able to list, each by id, after the id `after`. */
export interface Listing {
  promises(start: Start): Entries<StoredPromise>;
  /** At least those whose tag `name` is `text`. */
  tagged(name: IndexedTag, text: string, start: Start): Entries<StoredPromise>;
  tasks(after: string): Entries<Pending>;
  schedules(after: string): Entries<ScheduleRecord>;
}

/** Most records one page looks at. What it has not reached is on the next page. */
const SCAN_MAX = 20_000;

/** One page of what is wanted, of about `bytesMax` (default: as many as there are), with states as of `at`. */
export async function search(
  listing: Listing,
  wanted: Search,
  { at, bytesMax }: { readonly at: number; readonly bytesMax?: number | undefined },
): Promise<Found> {
  const { limit, after = "" } = wanted;
  const page = { limit, bytesMax: bytesMax ?? Number.POSITIVE_INFINITY };
  switch (wanted.kind) {
    case "promises": {
      const { state, tags, idPrefix = "" } = wanted;
      const promises = promisesFor(listing, tags, { after, from: idPrefix });
      const found = await collect(promises, { ...page, idPrefix }, ofPromise, (promise) => {
        const inState = state === undefined || project(promise, at).state === state;
        return inState && hasTags(promise.tags, tags) ? promise : undefined;
      });
      return { kind: "promises", ...found };
    }
    case "tasks": {
      const { state } = wanted;
      const found = await collect(listing.tasks(after), page, ofTask, ({ task, promise }) => {
        const now = projectTask(task, project(promise, at));
        return state === undefined || now.state === state ? now : undefined;
      });
      return { kind: "tasks", ...found };
    }
    case "schedules": {
      const { tags } = wanted;
      const found = await collect(listing.schedules(after), page, ofSchedule, (schedule) =>
        hasTags(schedule.promiseTags, tags) ? schedule : undefined,
      );
      return { kind: "schedules", ...found };
    }
  }
}

const ofPromise = ({ id }: StoredPromise) => id;
const ofTask = ({ task }: Pending) => task.id;
const ofSchedule = ({ id }: ScheduleRecord) => id;

function promisesFor(listing: Listing, tags: Tags, start: Start): Entries<StoredPromise> {
  for (const name of INDEXED_TAGS) {
    const text = tags[name];
    if (text !== undefined) return listing.tagged(name, text, start);
  }
  return listing.promises(start);
}

interface Page {
  readonly limit: number;
  readonly bytesMax: number;
  /** Entries that start with it follow each other, from the first one on. */
  readonly idPrefix?: string;
}

/** The first records that `recordOf` gives, within the limits, and the id to go on after when entries are left. */
async function collect<E, R>(
  entries: Entries<E>,
  { limit, bytesMax, idPrefix = "" }: Page,
  idOf: (entry: E) => string,
  recordOf: (entry: E) => R | undefined,
): Promise<{ readonly records: readonly R[]; readonly next?: string }> {
  const records: R[] = [];
  let last: string | undefined;
  let scanned = 0;
  let bytes = 0;
  for await (const entry of entries) {
    const id = idOf(entry);
    if (!id.startsWith(idPrefix)) break;
    const full = records.length === limit || scanned === SCAN_MAX || bytes >= bytesMax;
    if (last !== undefined && full) return { records, next: last };
    const record = recordOf(entry);
    if (record !== undefined) {
      records.push(record);
      bytes += weigh(record);
    }
    last = id;
    scanned++;
  }
  return { records };
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([name, value]) => tags[name] === value);
}
