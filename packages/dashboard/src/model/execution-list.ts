/** The list of runs: pages as they were read, and what events told since. */
import type { ExecutionNode, ExecutionPage } from "@resonate-ts/protocol";
import { newerNode } from "./newer-node.ts";

export interface ExecutionFilter {
  /** A state of promises, `halted`, or empty for any. */
  readonly state: string;
  readonly idPrefix: string;
  readonly func: string;
}

export interface ExecutionList {
  /** The newest first. */
  readonly rows: readonly ExecutionNode[];
  /** New ones, which are not shown yet, because whoever reads further down would lose the line. */
  readonly fresh: readonly ExecutionNode[];
  readonly cursor?: string;
}

export const EMPTY_LIST: ExecutionList = { rows: [], fresh: [] };

export function withPage(
  list: ExecutionList,
  { executions, cursor }: ExecutionPage,
): ExecutionList {
  const known = new Set(list.rows.map(({ id }) => id));
  const rows = [...list.rows, ...executions.filter(({ id }) => !known.has(id))];
  return { rows, fresh: list.fresh, ...(cursor === undefined ? {} : { cursor }) };
}

/** What is known is shown as it is now, or leaves when the filter is not for it any more; what is new waits. */
export function withExecutions(
  list: ExecutionList,
  news: readonly ExecutionNode[],
  filter: ExecutionFilter,
): ExecutionList {
  const told = new Map(news.map((node) => [node.id, node]));
  const updated = (nodes: readonly ExecutionNode[]) =>
    nodes
      .map((node) => newerNode(node, told.get(node.id) ?? node))
      .filter((node) => matches(node, filter));
  const known = new Set([...list.rows, ...list.fresh].map(({ id }) => id));
  const newest = list.rows[0]?.createdAt ?? Number.NEGATIVE_INFINITY;
  const unknown = [...told.values()].filter(
    (node) => !known.has(node.id) && node.createdAt >= newest && matches(node, filter),
  );
  const fresh = [...unknown, ...updated(list.fresh)].sort((a, b) => b.createdAt - a.createdAt);
  return { ...list, rows: updated(list.rows), fresh };
}

/** With the new ones on top. */
export function withFresh(list: ExecutionList): ExecutionList {
  if (list.fresh.length === 0) return list;
  return { ...list, rows: [...list.fresh, ...list.rows], fresh: [] };
}

/** As the server does it. */
export function matches(node: ExecutionNode, { state, idPrefix, func }: ExecutionFilter): boolean {
  if (idPrefix !== "" && !node.id.startsWith(idPrefix)) return false;
  if (func !== "" && node.func !== func) return false;
  if (state === "") return true;
  const halted = node.state === "pending" && node.task?.state === "halted";
  return state === "halted" ? halted : node.state === state;
}
