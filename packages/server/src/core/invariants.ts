/**
 * What is true of every state the server stores and of every step it takes: the catalogue of the protocol's
 * specification, under the specification's own names and numbers (1 to 45 of states, 46 to 95 of steps), and what is
 * asked for beyond it. Pure: checks are run by tests, over what they have seen the server do.
 */
import {
  doorStateProperties,
  doorStepProperties,
  ownStepProperties,
  scheduleStepProperties,
} from "./invariants/beyond.ts";
import { couplingStepProperties, outboxStepProperties } from "./invariants/coupling-step.ts";
import type { Entry, Snapshot, StateProperty, StepProperty, Taken } from "./invariants/model.ts";
import { promiseStateProperties } from "./invariants/promise-state.ts";
import { promiseStepProperties } from "./invariants/promise-step.ts";
import { couplingStateProperties, storeStateProperties } from "./invariants/store-state.ts";
import { taskStateProperties } from "./invariants/task-state.ts";
import { taskStepProperties } from "./invariants/task-step.ts";

export type { Entry, ScheduleEntry, Snapshot, Taken, Unblock } from "./invariants/model.ts";
export { isSame } from "./invariants/model.ts";

/** All properties of states. */
export const stateProperties: readonly StateProperty[] = [
  ...promiseStateProperties,
  ...taskStateProperties,
  ...storeStateProperties,
  ...couplingStateProperties,
  ...doorStateProperties,
];

/** All properties of steps. */
export const stepProperties: readonly StepProperty[] = [
  ...promiseStepProperties,
  ...taskStepProperties,
  ...couplingStepProperties,
  ...outboxStepProperties,
  ...scheduleStepProperties,
  ...ownStepProperties,
  ...doorStepProperties,
];

/** Names entries and schedules. */
export interface Touched {
  readonly ids: Iterable<string>;
  readonly scheduleIds: Iterable<string>;
}

/** A property that does not hold, and of what. */
export interface Violation {
  readonly number: number;
  readonly name: string;
  /** Id of the promise or schedule. */
  readonly id: string;
}

/** The properties of states that do not hold in `snapshot`: of what was touched, or (default) of everything. */
export function stateViolations(snapshot: Snapshot, touched: Touched = snapshot): Violation[] {
  const found: Violation[] = [];
  for (const id of touched.ids) {
    const entry = snapshot.entry(id);
    for (const property of stateProperties) {
      if (property.of !== "entry" || !entry || property.holds(entry, snapshot)) continue;
      found.push(violation(property, id));
    }
  }
  for (const id of touched.scheduleIds) {
    const schedule = snapshot.schedule(id);
    for (const property of stateProperties) {
      if (property.of !== "schedule" || !schedule || property.holds(schedule, snapshot)) continue;
      found.push(violation(property, id));
    }
  }
  return found;
}

/** The properties of steps that do not hold of the step between `from` and `to`, which touched only what is named. */
export function stepViolations(
  from: Snapshot,
  to: Snapshot,
  step: Taken,
  touched: Touched,
): Violation[] {
  const found: Violation[] = [];
  for (const id of touched.ids) {
    const pair = {
      before: from.entry(id) ?? nothing(id),
      after: to.entry(id) ?? nothing(id),
      from,
      to,
      step,
    };
    for (const property of stepProperties) {
      if (property.of === "entry" && !property.holds(pair)) found.push(violation(property, id));
    }
  }
  for (const id of touched.scheduleIds) {
    const before = from.schedule(id);
    const after = to.schedule(id);
    const pair = { ...(before && { before }), ...(after && { after }) };
    for (const property of stepProperties) {
      if (property.of === "schedule" && !property.holds(pair)) found.push(violation(property, id));
    }
  }
  return found;
}

/** The entry of an id that nothing is stored under. */
export function nothing(id: string): Entry {
  return {
    id,
    copies: { promises: 0, tasks: 0 },
    callbacks: [],
    awaits: [],
    listeners: [],
    resumedBy: [],
    executes: [],
    unblocks: [],
  };
}

function violation({ number, name }: { number: number; name: string }, id: string): Violation {
  return { number, name, id };
}
