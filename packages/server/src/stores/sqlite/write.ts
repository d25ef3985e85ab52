import type { Callback, Change, Listener, StoredPromise } from "../../core/records.ts";
import { promiseCells, promiseState, taskCells } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** Row numbers of promises. */
export interface Seqs {
  /** Of one that was loaded or written in this transaction. */
  known(id: string): number | undefined;
  /** For one that is new. */
  fresh(id: string): number;
}

/** Writes changes in order. A promise comes before all that refers to it. */
export function write(changes: readonly Change[], statements: Statements, seqs: Seqs): void {
  for (const change of changes) {
    if ("put" in change) {
      switch (change.put) {
        case "promise":
          putPromise(change.record, statements, seqs);
          break;
        case "task":
          statements.putTask.run(seqOf(change.record.id, seqs), ...taskCells(change.record));
          break;
        case "callback":
          statements.putCallback.run(...pair(change.record, seqs));
          break;
        case "resume": {
          const [awaited, awaiter] = pair(change.record, seqs);
          statements.putResume.run(awaiter, awaited);
          break;
        }
        case "listener":
          putListener(change.record, statements, seqs);
          break;
        case "schedule":
          statements.putSchedule.run(
            change.record.id,
            change.record.nextRunAt,
            JSON.stringify(change.record),
          );
          break;
      }
    } else {
      switch (change.delete) {
        case "callback":
          statements.deleteCallback.run(...pair(change.record, seqs));
          break;
        case "resumes":
          statements.deleteResumes.run(seqOf(change.awaiter, seqs));
          break;
        case "listener":
          statements.deleteListener.run(seqOf(change.record.awaited, seqs), change.record.address);
          break;
        case "schedule":
          statements.deleteSchedule.run(change.id);
          break;
      }
    }
  }
}

function putPromise(promise: StoredPromise, statements: Statements, seqs: Seqs): void {
  const seq = seqs.known(promise.id);
  if (seq === undefined) {
    statements.insertPromise.run(seqs.fresh(promise.id), ...promiseCells(promise));
    return;
  }
  const { state, settledAt, dueAt, value } = promise;
  statements.updatePromise.run(
    promiseState(state),
    settledAt ?? null,
    dueAt ?? null,
    JSON.stringify(value),
    seq,
  );
}

function putListener({ awaited, address, notifyAt }: Listener, statements: Statements, seqs: Seqs) {
  statements.putListener.run(seqOf(awaited, seqs), address, notifyAt ?? null);
}

function pair({ awaited, awaiter }: Callback, seqs: Seqs): [number, number] {
  return [seqOf(awaited, seqs), seqOf(awaiter, seqs)];
}

function seqOf(id: string, seqs: Seqs): number {
  const seq = seqs.known(id);
  if (seq === undefined)
    throw new Error(`a change refers to promise '${id}', which was not loaded`);
  return seq;
}
