/**
 * Cancels a promise and what was started for it.
 *
 * I1. From the top down: whoever runs a promise that is canceled starts nothing more, and what it had started meanwhile
 *     is found by looking again, until a look finds nothing.
 * I2. What lives on its own is left alone, with all that it started: children with an id of their own, which others
 *     may wait for too, and detached calls.
 */
import { isDetachedId, originOf, type PromiseRecord, TAG } from "@resonate-ts/protocol";
import type { PromiseSearch } from "./promises.ts";

/** Promises read, and canceled, at a time. */
const PAGE = 500;
/** How often a tree is looked at; a tree that keeps growing after that has something else that feeds it. */
const LOOKS_MAX = 20;

/** What canceling takes. */
export interface CancelSource {
  /** Cancels one promise, unless it has settled; gives it as it is then. */
  cancel(id: string): Promise<PromiseRecord>;
  search(
    search: PromiseSearch,
  ): Promise<{ readonly promises: readonly PromiseRecord[]; readonly cursor?: string }>;
}

/** Cancels `id` and everything pending below it; gives the promise of `id`. @throws what `source` throws. */
export async function cancelTree(id: string, source: CancelSource): Promise<PromiseRecord> {
  const top = await source.cancel(id);
  const origin = top.tags[TAG.origin] ?? originOf(id);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const below = pendingBelow(id, await membersOf(origin, source));
    if (below.length === 0) break;
    for (let at = 0; at < below.length; at += PAGE) {
      await Promise.all(below.slice(at, at + PAGE).map((child) => source.cancel(child)));
    }
  }
  return top;
}

/** What has to be known of a promise; trees may be large. */
interface Member {
  readonly id: string;
  readonly parent: string | undefined;
  readonly pending: boolean;
}

/** Settled ones too, since pending ones may hang under them. */
async function membersOf(origin: string, source: CancelSource): Promise<readonly Member[]> {
  const found: Member[] = [];
  let cursor: string | undefined;
  do {
    const page = await source.search({ tags: { [TAG.origin]: origin }, limit: PAGE, cursor });
    for (const { id, tags, state } of page.promises) {
      const parent = tags[TAG.caller] ?? tags[TAG.parent];
      if (!isDetachedId(id)) found.push({ id, parent, pending: state === "pending" });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** The nearest first. */
function pendingBelow(top: string, members: readonly Member[]): readonly string[] {
  const children = Map.groupBy(members, ({ parent }) => parent);
  const pending: string[] = [];
  const seen = new Set([top]);
  // The set grows while it is gone through.
  for (const parent of seen) {
    for (const child of children.get(parent) ?? []) {
      if (child.pending && !seen.has(child.id)) pending.push(child.id);
      seen.add(child.id);
    }
  }
  return pending;
}
