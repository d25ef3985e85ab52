import { TAG } from "@resonate-ts/protocol";
import type { Outgoing } from "../records.ts";
import { publicPromise } from "../replies.ts";
import {
  type Entry,
  isDead,
  isSame,
  ofPair,
  ofTaskStep,
  type Pair,
  type StepProperty,
  without,
} from "./model.ts";

type ExecuteMessage = Extract<Outgoing, { kind: "execute" }>;

/** 82 to 90: of promises, tasks and those who wait, together. */
export const couplingStepProperties: readonly StepProperty[] = [
  ofPair(
    82,
    "consistent_settlement_fulfils_task",
    (pair) => !settles(pair) || !pair.after.task || pair.after.task.state === "fulfilled",
  ),
  ofTaskStep(
    83,
    "consistent_task_fulfilment_needs_settlement",
    (before, after, pair) =>
      before.state === "fulfilled" || after.state !== "fulfilled" || settles(pair),
  ),
  ofPair(84, "consistent_obligation_discharge_requires_settled", (pair) => {
    const { before, after } = pair;
    const discharged =
      without(before.callbacks, after.callbacks).length +
      without(before.listeners, after.listeners).length;
    return discharged === 0 || (after.promise !== undefined && after.promise.state !== "pending");
  }),
  ofPair(85, "consistent_callback_consumption_resumes_awaiter", (pair) =>
    without(pair.before.callbacks, pair.after.callbacks).every((awaiter) =>
      isResumed(awaiter, pair),
    ),
  ),
  ofPair(86, "consistent_listener_consumption_enqueues_unblock", ({ before, after, step }) =>
    without(before.listeners, after.listeners).every(
      (address) =>
        after.unblocks.filter((unblock) => unblock.address === address).length === 1 &&
        step.sent.filter(
          (message) =>
            message.kind === "unblock" &&
            message.address === address &&
            message.promise.id === after.id,
        ).length === 1,
    ),
  ),
  ofTaskStep(
    87,
    "consistent_wake_follows_callback_consumption",
    (before, after, pair) =>
      before.state !== "suspended" ||
      after.state !== "pending" ||
      without(pair.before.awaits, pair.after.awaits).length > 0,
  ),
  ofTaskStep(
    88,
    "consistent_suspension_registers_callback",
    (before, after, { after: { awaits }, to }) =>
      before.state !== "acquired" ||
      after.state !== "suspended" ||
      awaits.some((awaited) => {
        const promise = to.entry(awaited)?.promise;
        return promise !== undefined && !isDead(promise, to);
      }),
  ),
  ofPair(
    89,
    "preserved_no_dead_dispatch",
    ({ before, after, to }) =>
      after.task?.state !== "pending" ||
      before.task?.state === "pending" ||
      (after.promise !== undefined && after.promise.timeoutAt > to.at),
  ),
  ofPair(90, "preserved_execute_only_for_live_task", (pair) =>
    offersOf(pair).every(
      () =>
        pair.after.task?.state === "pending" &&
        pair.after.promise !== undefined &&
        !isDead(pair.after.promise, pair.to),
    ),
  ),
];

/** 91 to 94: of what is queued. Delivery takes from the queue, and is no step of the catalogue. */
export const outboxStepProperties: readonly StepProperty[] = [
  ofPair(91, "monotone_outbox_keys_never_disappear", ({ before, after, step }) => {
    const delivers = step.kind === "promise.notified" || step.kind === "promise.notify";
    const lost = without(addressesOf(before), addressesOf(after));
    return (
      (delivers || lost.length === 0) && (before.executes.length === 0 || after.executes.length > 0)
    );
  }),
  ofPair(92, "consistent_new_execute_matches_task_and_target", (pair) =>
    offersOf(pair).every(
      ({ address, task }) =>
        task.version === pair.after.task?.version &&
        address === pair.after.promise?.tags[TAG.target],
    ),
  ),
  ofPair(93, "consistent_new_unblock_carries_stored_record", ({ after, step }) =>
    step.sent.every(
      (message) =>
        message.kind !== "unblock" ||
        message.promise.id !== after.id ||
        (after.promise !== undefined && isSame(message.promise, publicPromise(after.promise))),
    ),
  ),
  ofPair(94, "consistent_new_unblock_discharges_its_listener", ({ before, after }) =>
    without(addressesOf(after), addressesOf(before)).every(
      (address) => before.listeners.includes(address) && !after.listeners.includes(address),
    ),
  ),
];

function settles({ before, after }: Pair): boolean {
  return before.promise?.state === "pending" && after.promise?.state !== "pending";
}

/** Whether the awaiter has the resume on record, or is past being resumed. */
function isResumed(awaiter: string, { before: { id }, from, to }: Pair): boolean {
  const after = to.entry(awaiter);
  if (!after?.promise || isDead(after.promise, to)) return true;
  const resumes = from.entry(awaiter)?.task?.resumes ?? 0;
  return after.resumedBy.includes(id) && after.task?.resumes === resumes + 1;
}

function addressesOf({ unblocks }: Entry): readonly string[] {
  return unblocks.map(({ address }) => address);
}

function offersOf({ after, step }: Pair): readonly ExecuteMessage[] {
  return step.sent.filter(
    (message): message is ExecuteMessage =>
      message.kind === "execute" && message.task.id === after.id,
  );
}
