/** Why a worker gives work up, in words. */
import type { PromiseRecord } from "@resonate-ts/protocol";
import {
  LeaseLostError,
  PromiseCanceledError,
  PromiseTimedoutError,
  ResonateError,
} from "../errors.ts";

/** Work on a promise that has settled is in vain. */
export function settledReason({ id: promiseId, state, timeoutAt }: PromiseRecord): ResonateError {
  if (state === "rejected_canceled") return new PromiseCanceledError({ promiseId });
  if (state === "rejected_timedout") return new PromiseTimedoutError({ promiseId, timeoutAt });
  return new LeaseLostError({ promiseId });
}

/** A replay was told wrongly again, and again. */
export function neverCertain(id: string): ResonateError {
  return new ResonateError(
    "SERVER_INCONSISTENT",
    `Of what '${id}' records, something else is found on record each time. Does something else settle its steps?`,
  );
}

export function stopping(id: string): ResonateError {
  return new ResonateError(
    "STOPPED",
    `This process stops; '${id}' goes on elsewhere, or when it is started again.`,
  );
}
