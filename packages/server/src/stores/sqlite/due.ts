import type { Step } from "../../core/step.ts";
import { promiseState, type Row, taskState } from "../rows.ts";
import type { Due } from "../store.ts";
import type { Statements } from "./statements.ts";

/** The steps due at `at`: deadlines first, so that nothing is offered or resumed whose own time is over. */
export function findDue(statements: Statements, at: number, limit: number): Due {
  const steps: Step[] = [];
  const take = (find: Statements["dueTasks"], stepOf: (row: Row) => Step) => {
    if (steps.length >= limit) return;
    for (const row of find.all(at, limit - steps.length)) steps.push(stepOf(row));
  };
  take(statements.duePromises, promiseStep);
  take(statements.dueTasks, taskStep);
  take(statements.dueListeners, (row) => ({
    kind: "promise.notify",
    data: { awaited: String(row["id"]), address: String(row["address"]) },
  }));
  take(statements.dueSchedules, (row) => ({
    kind: "schedule.fire",
    data: { id: String(row["id"]), occurrence: Number(row["due_at"]) },
  }));
  if (steps.length >= limit) return { steps, nextAt: at };
  const next = statements.nextDue.get(at)?.["at"];
  return { steps, ...(typeof next === "number" && { nextAt: next }) };
}

function promiseStep(row: Row): Step {
  const data = { id: String(row["id"]) };
  return row["state"] === promiseState("pending")
    ? { kind: "promise.timeout", data }
    : { kind: "promise.announce", data };
}

function taskStep(row: Row): Step {
  const data = { id: String(row["id"]), version: Number(row["version"]) };
  return row["state"] === taskState("pending")
    ? { kind: "task.offer", data }
    : { kind: "task.expire", data: { ...data, lost: false } };
}
