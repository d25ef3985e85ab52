import type { Callback, Change, Listener, StoredPromise } from "../../core/records.ts";
import { promiseRow, settlementCells, taskCells } from "../rows.ts";
import type { KnownRows } from "./load.ts";
import type { Statements } from "./statements.ts";

/** What is known of rows, and new ones. */
export interface Rows extends KnownRows {
  /** Gives a new promise its row number. */
  add(id: string): number;
  /** The number that the next one will have. */
  nextSeq(): number;
}

/** Where the number of the next row is kept once rows have been deleted: those that they had are not given again. */
export const NEXT_SEQ = "next_seq";

/** Pages that the row of a change and its entries in indexes lie on. */
const PAGES_PER_CHANGE = 3;
const PAGE_BYTES = 4_096;

/** About how many pages a change writes, counted high. */
export function pagesOf(change: Change): number {
  if (!("put" in change) || change.put !== "promise") return PAGES_PER_CHANGE;
  const { param, value } = change.record;
  return PAGES_PER_CHANGE + ((param.data?.length ?? 0) + (value.data?.length ?? 0)) / PAGE_BYTES;
}

/** Writes changes in order. A promise comes before all that refers to it. */
export function write(changes: readonly Change[], statements: Statements, rows: Rows): void {
  for (const change of changes) {
    if ("put" in change) {
      switch (change.put) {
        case "promise":
          putPromise(change.record, statements, rows);
          break;
        case "task":
          statements.putTask.run(seqOf(change.record.id, rows), ...taskCells(change.record));
          break;
        case "callback":
          statements.putCallback.run(...pair(change.record, rows));
          break;
        case "resume": {
          const [awaited, awaiter] = pair(change.record, rows);
          statements.putResume.run(awaiter, awaited);
          break;
        }
        case "listener":
          putListener(change.record, statements, rows);
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
        case "promise":
          deletePromise(change.id, statements, rows);
          break;
        case "callback":
          statements.deleteCallback.run(...pair(change.record, rows));
          break;
        case "resumes":
          statements.deleteResumes.run(seqOf(change.awaiter, rows));
          break;
        case "listener":
          statements.deleteListener.run(seqOf(change.record.awaited, rows), change.record.address);
          break;
        case "schedule":
          statements.deleteSchedule.run(change.id);
          break;
      }
    }
  }
}

function putPromise(promise: StoredPromise, statements: Statements, rows: Rows): void {
  const { id } = promise;
  const seq = rows.seqs.get(id);
  if (seq === undefined) {
    const { cells, bornCrc } = promiseRow(promise);
    statements.insertPromise.run(rows.add(id), ...cells);
    rows.bornCrcs.set(id, bornCrc);
    return;
  }
  const bornCrc = rows.bornCrcs.get(id);
  if (bornCrc === undefined) throw new Error(`promise '${id}' is changed, which was not loaded`);
  statements.updatePromise.run(...settlementCells(promise, bornCrc), seq);
}

function deletePromise(id: string, statements: Statements, rows: Rows): void {
  const seq = seqOf(id, rows);
  for (const statement of statements.deletePromise) statement.run(seq);
  rows.seqs.delete(id);
  rows.bornCrcs.delete(id);
  statements.putMeta.run(NEXT_SEQ, rows.nextSeq());
}

function putListener({ awaited, address, notifyAt }: Listener, statements: Statements, rows: Rows) {
  statements.putListener.run(seqOf(awaited, rows), address, notifyAt ?? null);
}

function pair({ awaited, awaiter }: Callback, rows: Rows): [number, number] {
  return [seqOf(awaited, rows), seqOf(awaiter, rows)];
}

function seqOf(id: string, rows: Rows): number {
  const seq = rows.seqs.get(id);
  if (seq === undefined)
    throw new Error(`a change refers to promise '${id}', which was not loaded`);
  return seq;
}
