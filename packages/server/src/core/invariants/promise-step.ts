import type { PromiseState } from "@resonate-ts/protocol";
import { deadlineState } from "../project.ts";
import {
  isEmpty,
  isSame,
  isWithin,
  ofPair,
  ofPromiseStep,
  type Pair,
  type StepProperty,
} from "./model.ts";

const CLIENT_VERDICTS: readonly PromiseState[] = ["resolved", "rejected", "rejected_canceled"];

/** 46 to 61: of promises. */
export const promiseStepProperties: readonly StepProperty[] = [
  ofPromiseStep(46, "preserved_promise_birth_fields_immutable", (before, after) =>
    (["param", "tags", "timeoutAt", "createdAt"] as const).every((field) =>
      isSame(before[field], after[field]),
    ),
  ),
  ofPair(
    47,
    "preserved_settled_promise_record",
    ({ before: { promise: before }, after: { promise: after } }) =>
      before === undefined ||
      before.state === "pending" ||
      (after !== undefined &&
        (["state", "value", "settledAt"] as const).every((field) =>
          isSame(before[field], after[field]),
        )),
  ),
  ofPair(
    48,
    "monotone_promise_set_grows",
    ({ before, after }) => before.promise === undefined || after.promise !== undefined,
  ),
  ofPromiseStep(
    49,
    "preserved_promise_state_frozen_once_settled",
    (before, after) => before.state === "pending" || before.state === after.state,
  ),
  ofPromiseStep(
    50,
    "preserved_promise_settlement_is_one_way",
    (before, after) => before.state === "pending" || after.state !== "pending",
  ),
  ofPromiseStep(
    51,
    "consistent_promise_settled_at_moves_with_state",
    (before, after) => (before.settledAt !== after.settledAt) === (before.state !== after.state),
  ),
  ofPromiseStep(
    52,
    "preserved_promise_value_until_settlement",
    (before, after) =>
      isSame(before.value, after.value) ||
      (before.state === "pending" && after.state !== "pending"),
  ),
  ofPair(53, "preserved_promise_no_duplicate_ids", ({ after }) => after.copies.promises <= 1),
  ofPair(
    54,
    "monotone_promise_callbacks_grow_while_pending",
    ({ before, after }) =>
      after.promise?.state !== "pending" || isWithin(before.callbacks, after.callbacks),
  ),
  ofPair(
    55,
    "monotone_promise_callbacks_shrink_once_settled",
    ({ before, after }) => !isSettled(before) || isWithin(after.callbacks, before.callbacks),
  ),
  ofPair(
    56,
    "monotone_promise_listeners_grow_while_pending",
    ({ before, after }) =>
      after.promise?.state !== "pending" || isWithin(before.listeners, after.listeners),
  ),
  ofPair(
    57,
    "monotone_promise_listeners_shrink_once_settled",
    ({ before, after }) => !isSettled(before) || isWithin(after.listeners, before.listeners),
  ),
  ofPromiseStep(
    58,
    "consistent_promise_state_edge_admissible",
    (before, after) => before.state === after.state || before.state === "pending",
  ),
  ofPromiseStep(
    59,
    "consistent_promise_settlement_stamp",
    (before, after, pair) =>
      before.state !== "pending" ||
      after.state === "pending" ||
      isClientSettlement(pair) ||
      isDeadlineSettlement(pair),
  ),
  ofPair(
    60,
    "preserved_timedout_is_server_owned",
    ({ before, after: { promise }, to }) =>
      promise?.state !== "rejected_timedout" ||
      before.promise?.state === "rejected_timedout" ||
      (promise.timeoutAt <= to.at && promise.settledAt === promise.timeoutAt),
  ),
  ofPair(61, "consistent_new_promise_born_clean", isBornClean),
];

function isSettled({ promise }: Pair["before"]): boolean {
  return promise !== undefined && promise.state !== "pending";
}

/** Settled at this instant, which is before the deadline, with a verdict that clients may give. */
function isClientSettlement({ after: { promise }, to: { at } }: Pair): boolean {
  return (
    promise !== undefined &&
    promise.settledAt === at &&
    at < promise.timeoutAt &&
    CLIENT_VERDICTS.includes(promise.state)
  );
}

/** Settled by its deadline, which has come. */
function isDeadlineSettlement({ before, after: { promise }, to: { at } }: Pair): boolean {
  return (
    promise !== undefined &&
    promise.settledAt === promise.timeoutAt &&
    promise.timeoutAt <= at &&
    promise.state === deadlineState(promise) &&
    isSame(promise.value, before.promise?.value ?? {})
  );
}

function isBornClean({ before, after, to: { at } }: Pair): boolean {
  const { promise, callbacks, listeners } = after;
  if (before.promise || !promise) return true;
  const { state, timeoutAt, settledAt, value } = promise;
  const inTime = state === "pending" ? at < timeoutAt : settledAt === timeoutAt && timeoutAt <= at;
  return inTime && isEmpty(value) && callbacks.length + listeners.length === 0;
}
