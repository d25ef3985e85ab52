/** What each operation puts on record: one table, and the rules that all of them share. */
import {
  childId,
  detachedId,
  dottedChildId,
  dottedDetachedId,
  originOf,
  TAG,
  type Tags,
} from "@resonate-ts/protocol";
import type { CreateRequest } from "../journal/journal.ts";
import type { EncodedRetryPolicy } from "../retry.ts";

/** Time from now to the deadline of what names none, in ms: 24 hours. */
export const TIMEOUT_MS_DEFAULT = 24 * 60 * 60 * 1_000;

interface Call {
  readonly func: string;
  readonly version: number;
  readonly args: readonly unknown[];
  readonly retry?: EncodedRetryPolicy | undefined;
  /** An address. */
  readonly target: string;
}

export type Operation =
  | { readonly kind: "run"; readonly func: string; readonly version: number }
  | ({ readonly kind: "rpc" } & Call)
  | ({ readonly kind: "detached" } & Call)
  | { readonly kind: "promise"; readonly data: unknown }
  /** `until` in ms since the epoch. Servers that need a target to act on a timer are given one. */
  | { readonly kind: "sleep"; readonly until: number; readonly target?: string | undefined };

/** The call that asks. */
export interface Place {
  readonly id: string;
  readonly originId: string;
  readonly branchId: string;
  /**
   * The root of the tree, in trees that are spelled the way older SDKs do it: dots all the way, the root in a tag. A
   * tree stays as it began, whoever goes on with it.
   */
  readonly prefixId?: string | undefined;
  readonly timeoutAt: number;
}

/** The id of the `seq`th thing that a call starts. */
export function nameOf(operation: Operation, { id, prefixId }: Place, seq: number): string {
  const detached = operation.kind === "detached";
  if (prefixId === undefined) return detached ? detachedId(id, seq) : childId(id, seq);
  return detached ? dottedDetachedId(prefixId, id, seq) : dottedChildId(prefixId, id, seq);
}

export interface Asked {
  readonly id: string;
  /** The id was chosen by the program: the promise is the root of a tree of its own. */
  readonly chosen: boolean;
  readonly now: number;
  /** In ms. */
  readonly timeout?: number | undefined;
  readonly tags?: Tags | undefined;
  /** Of the param. */
  readonly headers?: Tags | undefined;
}

/** The promise that an operation is recorded as. */
export function createRequest(operation: Operation, place: Place, asked: Asked): CreateRequest {
  return {
    id: asked.id,
    timeoutAt: deadline(operation, place, asked),
    tags: { ...lineage(operation, place, asked), ...ownTags(operation), ...asked.tags },
    data: paramOf(operation),
    headers: asked.headers,
  };
}

/** What a call carries to the process that runs it; also for calls made by clients. */
export function invocation(call: Omit<Call, "target">): object {
  const { func, args, retry, version } = call;
  return { func, args, ...(retry && { retry }), version };
}

function ownTags(operation: Operation): Tags {
  switch (operation.kind) {
    case "run":
      return { [TAG.scope]: "local" };
    case "rpc":
    case "detached":
      return { [TAG.scope]: "global", [TAG.target]: operation.target };
    case "promise":
      return { [TAG.scope]: "global" };
    case "sleep":
      return {
        [TAG.scope]: "global",
        [TAG.timer]: "true",
        ...(operation.target !== undefined && { [TAG.target]: operation.target }),
      };
  }
}

function paramOf(operation: Operation): unknown {
  switch (operation.kind) {
    case "run":
      return { func: operation.func, version: operation.version };
    case "rpc":
    case "detached":
      return invocation(operation);
    case "promise":
      return operation.data;
    case "sleep":
      return "";
  }
}

/** Never past the caller's deadline, but for what lives on its own: detached calls and chosen ids. */
function deadline(operation: Operation, place: Place, asked: Asked): number {
  const wanted =
    operation.kind === "sleep"
      ? Math.max(0, Math.ceil(operation.until))
      : asked.now + (asked.timeout ?? TIMEOUT_MS_DEFAULT);
  const ownLife = operation.kind === "detached" || asked.chosen;
  return ownLife ? wanted : Math.min(wanted, place.timeoutAt);
}

function lineage(operation: Operation, place: Place, asked: Asked): Tags {
  return place.prefixId === undefined
    ? lineageOf(operation, place, asked)
    : dottedLineage(operation, place, { ...asked, prefixId: place.prefixId });
}

/** As older SDKs have it: what has an id of its own, and what is detached, keeps its parent. */
function dottedLineage(
  operation: Operation,
  place: Place,
  { id, chosen, prefixId }: Asked & { readonly prefixId: string },
): Tags {
  return {
    [TAG.origin]: chosen || operation.kind === "detached" ? id : place.originId,
    [TAG.branch]: operation.kind === "run" ? place.branchId : id,
    [TAG.parent]: place.id,
    [TAG.prefix]: prefixId,
    ...(chosen && { [TAG.caller]: place.id }),
  };
}

function lineageOf(operation: Operation, place: Place, { id, chosen }: Asked): Tags {
  if (chosen) {
    return { [TAG.origin]: id, [TAG.branch]: id, [TAG.parent]: id, [TAG.caller]: place.id };
  }
  const origin = extendsId(id, place.originId) ? place.originId : originOf(id);
  const parent = operation.kind === "detached" || !extendsId(id, place.id) ? origin : place.id;
  const branch = operation.kind === "run" && extendsId(id, place.branchId) ? place.branchId : id;
  return {
    [TAG.origin]: origin,
    [TAG.branch]: branch,
    [TAG.parent]: parent,
    // Where the id is a hash it does not show who asked.
    ...(operation.kind !== "detached" && parent !== place.id && { [TAG.caller]: place.id }),
  };
}

function extendsId(id: string, ancestor: string): boolean {
  return id.startsWith(ancestor) && (id[ancestor.length] === ":" || id[ancestor.length] === ".");
}
