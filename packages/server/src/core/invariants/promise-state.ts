import { isExternal } from "@resonate-ts/protocol";
import { deadlineState } from "../project.ts";
import { isEmpty, isUnique, ofEntry, ofPromise, type StateProperty } from "./model.ts";
import { offersNoTimer } from "./timer.ts";

/** 1 to 16: of promises. */
export const promiseStateProperties: readonly StateProperty[] = [
  ofPromise(
    1,
    "well_formed_promise_created_at_lte_timeout_at",
    (promise) => promise.createdAt <= promise.timeoutAt,
  ),
  ofPromise(
    2,
    "well_formed_promise_pending_created_before_deadline",
    ({ state, createdAt, timeoutAt }) => state !== "pending" || createdAt < timeoutAt,
  ),
  ofPromise(
    3,
    "well_formed_promise_settled_at_lte_timeout_at",
    ({ settledAt, timeoutAt }) => settledAt === undefined || settledAt <= timeoutAt,
  ),
  ofPromise(
    4,
    "well_formed_promise_created_at_lte_settled_at",
    ({ settledAt, createdAt }) => settledAt === undefined || createdAt <= settledAt,
  ),
  ofPromise(
    5,
    "well_formed_promise_settled_at_iff_not_pending",
    ({ state, settledAt }) => (settledAt !== undefined) === (state !== "pending"),
  ),
  ofPromise(
    6,
    "well_formed_promise_pending_has_no_value",
    ({ state, value }) => state !== "pending" || isEmpty(value),
  ),
  ofPromise(
    7,
    "well_formed_promise_deadline_verdict_matches_timer_tag",
    (promise) =>
      promise.settledAt !== promise.timeoutAt || promise.state === deadlineState(promise),
  ),
  ofPromise(
    8,
    "well_formed_promise_deadline_settlement_has_no_value",
    ({ settledAt, timeoutAt, value }) => settledAt !== timeoutAt || isEmpty(value),
  ),
  // Timers with a target are accepted (an official SDK sends them), so what must hold is that nobody is sent to them.
  ofEntry(9, "well_formed_promise_timer_not_targeted", offersNoTimer),
  ofPromise(
    10,
    "well_formed_promise_timedout_is_server_owned",
    ({ state, settledAt, timeoutAt }) => state !== "rejected_timedout" || settledAt === timeoutAt,
  ),
  ofEntry(11, "well_formed_promise_callbacks_unique", ({ callbacks }) => isUnique(callbacks)),
  ofEntry(12, "well_formed_promise_listeners_unique", ({ listeners }) => isUnique(listeners)),
  ofEntry(
    13,
    "well_formed_promise_obligations_require_external",
    ({ promise, callbacks, listeners }) =>
      callbacks.length + listeners.length === 0 ||
      (promise !== undefined && isExternal(promise.tags)),
  ),
  ofEntry(
    14,
    "well_formed_promise_awaiter_is_not_self",
    ({ id, callbacks }) => !callbacks.includes(id),
  ),
  ofPromise(
    15,
    "well_formed_promise_created_at_lte_now",
    ({ createdAt }, _, { at }) => createdAt <= at,
  ),
  ofPromise(
    16,
    "well_formed_promise_settled_at_lte_now",
    ({ settledAt }, _, { at }) => settledAt === undefined || settledAt <= at,
  ),
];
