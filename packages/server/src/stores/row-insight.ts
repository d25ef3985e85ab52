/** What those who look on are shown of stores that keep rows: the same questions, each in a store's own words. */
import type { Insight, NewestFirst, Outline, Tagged } from "./insight.ts";
import { endOfPrefix, openCounts, outlineOf } from "./outline-rows.ts";
import { hashOf, promiseOf, type Row, taskOf } from "./rows.ts";

/** Each is a key look-up or a part of an index. */
export type Question =
  | "runs"
  | "halted"
  | "named"
  | "namedLast"
  | "outlines"
  | "members"
  | "called"
  | "whole"
  | "awaiters"
  | "listeners"
  | "awaits"
  | "open"
  | "held";

/** What a question is asked with: a list is one cell. */
export type Cell = string | number | readonly string[] | readonly number[];

export interface RowInsightOptions {
  /** Sees what is committed, and nothing else. */
  readonly ask: (name: Question, ...cells: readonly Cell[]) => Promise<readonly Row[]>;
  /** How much room the records take. */
  readonly bytes: () => Promise<number>;
}

const NEWEST = Number.MAX_SAFE_INTEGER;

export class RowInsight implements Insight {
  readonly #ask: RowInsightOptions["ask"];
  readonly #bytes: RowInsightOptions["bytes"];

  constructor({ ask, bytes }: RowInsightOptions) {
    this.#ask = ask;
    this.#bytes = bytes;
  }

  runs({ before = NEWEST, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("runs", before, limit);
  }

  halted({ before = NEWEST, limit }: NewestFirst): Promise<readonly Outline[]> {
    return this.#outlines("halted", before, limit);
  }

  named(prefix: string, { after, limit }: { after: string; limit: number }) {
    const end = endOfPrefix(prefix);
    return end === undefined
      ? this.#outlines("namedLast", after, prefix, limit)
      : this.#outlines("named", after, prefix, end, limit);
  }

  outlines(ids: readonly string[]): Promise<readonly Outline[]> {
    return this.#outlines("outlines", ids);
  }

  members(origins: readonly string[], { after, limit }: { after: number; limit: number }) {
    return this.#tagged("members", origins, after, limit);
  }

  called(callers: readonly string[], { after, limit }: { after: number; limit: number }) {
    return this.#tagged("called", callers, after, limit);
  }

  async whole(id: string) {
    const [row] = await this.#ask("whole", id);
    if (!row) return undefined;
    return { promise: promiseOf(row), ...(row["task_state"] !== null && { task: taskOf(row) }) };
  }

  async awaiters(id: string, limit: number): Promise<readonly string[]> {
    return (await this.#ask("awaiters", id, limit)).map((row) => String(row["id"]));
  }

  async listeners(id: string, limit: number): Promise<readonly string[]> {
    return (await this.#ask("listeners", id, limit)).map((row) => String(row["address"]));
  }

  async awaits(ids: readonly string[], limit: number) {
    const rows = await this.#ask("awaits", ids, limit);
    return rows.map((row) => ({
      awaiter: String(row["awaiter"]),
      awaited: String(row["awaited"]),
    }));
  }

  async open(limit: number) {
    const [row] = await this.#ask("open", limit + 1);
    return openCounts(row, limit);
  }

  async held(limit: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#ask("held", limit);
    return new Map(rows.map((row) => [String(row["pid"]), Number(row["held"])]));
  }

  bytes(): Promise<number> {
    return this.#bytes();
  }

  async #outlines(name: Question, ...cells: readonly Cell[]) {
    return (await this.#ask(name, ...cells)).map(outlineOf);
  }

  async #tagged(
    name: "members" | "called",
    texts: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly Tagged[]> {
    const rows = await this.#ask(name, texts.map(hashOf), after, limit);
    return rows.map((row) => ({ outline: outlineOf(row), by: Number(row["by"]) }));
  }
}
