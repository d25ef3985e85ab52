/** Rows → outlines, for stores that keep rows. */
import type { Tags } from "@resonate-ts/protocol";
import type { Count, OpenCounts, Outline } from "./insight.ts";
import { promiseStateOf, type Row, taskOf } from "./rows.ts";

/** The promise of a row that has the columns of an outline. */
export function outlineOf(row: Row): Outline {
  // The rows are those that `rows.ts` wrote.
  return {
    place: row["seq"] as number,
    id: row["id"] as string,
    state: promiseStateOf(row),
    timeoutAt: row["timeout_at"] as number,
    createdAt: row["created_at"] as number,
    ...(row["settled_at"] !== null && { settledAt: row["settled_at"] as number }),
    tags: JSON.parse(row["tags"] as string) as Tags,
    ...(row["param_head"] !== null && { paramHead: row["param_head"] as string }),
    paramBytes: row["param_bytes"] as number,
    valueBytes: row["value_bytes"] as number,
    ...(row["task_state"] !== null && { task: taskOf(row) }),
  };
}

/** What a row of counts says, where each was counted up to one more than `limit`. */
export function openCounts(row: Row | undefined, limit: number): OpenCounts {
  const of = (name: string): Count => {
    const counted = Number(row?.[name] ?? 0);
    return { count: Math.min(counted, limit), more: counted > limit };
  };
  return {
    promises: of("promises"),
    pending: of("pending"),
    acquired: of("acquired"),
    suspended: of("suspended"),
    halted: of("halted"),
  };
}

/** The least text after all those that start with `prefix`, by their bytes; `undefined` where there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  for (let end = [...prefix]; end.length > 0; end = end.slice(0, -1)) {
    const last = end.at(-1)?.codePointAt(0) ?? 0;
    // Surrogates are no characters of their own: what follows the last one before them is the first one after them.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return [...end.slice(0, -1), String.fromCodePoint(next)].join("");
  }
  return undefined;
}
