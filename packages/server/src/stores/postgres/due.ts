import type { Step } from "../../core/step.ts";
import { promiseState, type Row, taskState } from "../rows.ts";
import type { Due } from "../store.ts";

/** Reads the rows of `DUE`: deadlines first, so that nothing is offered or resumed whose own time is over. */
export function readDue(
  rows: readonly Row[],
  { at, limit }: { readonly at: number; readonly limit: number },
): Due {
  const steps = rows.filter(({ kind }) => kind !== NEXT).map(stepOf);
  if (steps.length >= limit) return { steps: steps.slice(0, limit), nextAt: at };
  const next = rows.find(({ kind }) => kind === NEXT)?.["at"];
  return { steps, ...(typeof next === "number" && { nextAt: next }) };
}

const PROMISE = 1;
const TASK = 2;
const LISTENER = 3;
const NEXT = 5;

function stepOf(row: Row): Step {
  const id = String(row["id"]);
  switch (row["kind"]) {
    case PROMISE:
      return row["state"] === promiseState("pending")
        ? { kind: "promise.timeout", data: { id } }
        : { kind: "promise.announce", data: { id } };
    case TASK: {
      const version = Number(row["version"]);
      return row["state"] === taskState("pending")
        ? { kind: "task.offer", data: { id, version } }
        : { kind: "task.expire", data: { id, version, lost: false } };
    }
    case LISTENER:
      return { kind: "promise.notify", data: { awaited: id, address: String(row["address"]) } };
    default:
      return { kind: "schedule.fire", data: { id, occurrence: Number(row["at"]) } };
  }
}
