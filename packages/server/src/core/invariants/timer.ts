import { isTimer } from "@resonate-ts/protocol";
import type { Entry } from "./model.ts";

/** A timer's task is never the subject of an offer. */
export function offersNoTimer({ promise, executes }: Entry): boolean {
  return promise === undefined || !isTimer(promise.tags) || executes.length === 0;
}
