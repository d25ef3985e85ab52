/** What clients saw: who asked what, when, and what was answered. */
import type { Answer } from "../differential/oracle.ts";

export interface Operation {
  readonly client: number;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the requests of all kinds.
  readonly data: any;
  readonly preload?: "none" | "delta";
  /** Before the request left and after the answer had come, by one clock. */
  readonly call: number;
  readonly return: number;
  /** Absent: no answer came, or one that does not say what happened. The operation may or may not have happened. */
  readonly answer?: Answer;
}

/** An answer without what the oracle cannot know: instants, the words of refusals, cursors. */
export function essence(answer: Answer): string {
  const { status, data } = answer;
  if (status >= 400) return `${status}`;
  const refusedInside = typeof data.action?.data === "string";
  const shown = refusedInside ? { ...data, action: { ...data.action, data: "text" } } : data;
  return JSON.stringify([status, shown], (name, value) =>
    LEFT_OUT.has(name) || value === undefined ? undefined : ordered(value),
  );
}

const LEFT_OUT = new Set(["createdAt", "settledAt", "corrId", "cursor", "failures", "cause"]);

function ordered(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
