/** Outlines and workers, for tests of what is said of them. */
import { TAG } from "@resonate-ts/protocol";
import type { Present } from "../../src/engine/census.ts";
import type { Outline } from "../../src/stores/insight.ts";
import { task } from "../support/every-store.ts";

export const NOW = 1_000_000;

/** Parameters as SDKs write them. */
export function paramHead(param: object): string {
  return JSON.stringify({
    headers: {},
    data: Buffer.from(JSON.stringify(param)).toString("base64"),
  });
}

export function outline(id: string, over: Partial<Outline> = {}): Outline {
  return {
    place: 1,
    id,
    state: "pending",
    timeoutAt: NOW + 60_000,
    createdAt: NOW - 1_000,
    tags: {},
    paramBytes: 2,
    valueBytes: 2,
    ...over,
  };
}

/** A call to a function, for the workers of a group. */
export function call(
  id: string,
  { func = "f", version = 1, target = "poll://any@g", tags = {}, ...over }: CallOver = {},
): Outline {
  return outline(id, {
    tags: { [TAG.target]: target, ...tags },
    paramHead: paramHead({ func, args: [], version }),
    task: task(id, over),
  });
}

type CallOver = Parameters<typeof task>[1] & {
  readonly func?: string;
  readonly target?: string;
  readonly tags?: Outline["tags"];
};

/** `has`: functions, with the versions it has of each; absent: it announced nothing. */
export function worker(
  id: string,
  {
    group = "g",
    has,
    slots,
  }: { group?: string; has?: Record<string, number[]>; slots?: number } = {},
): Present {
  const functions = has && new Map(Object.entries(has).map(([name, of]) => [name, new Set(of)]));
  return {
    group,
    id,
    connectedAt: NOW,
    ...(slots !== undefined && { slots }),
    ...(functions && { functions }),
  };
}
