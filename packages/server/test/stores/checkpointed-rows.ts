import type { Change } from "../../src/core/records.ts";

/** New promises, of about a page each. */
export function rows(ids: readonly string[]): readonly Change[] {
  return ids.map((id) => ({
    put: "promise",
    record: {
      id,
      state: "pending",
      param: { data: "x".repeat(3_000) },
      value: {},
      tags: {},
      timeoutAt: 8e15,
      createdAt: 1,
    },
  }));
}
