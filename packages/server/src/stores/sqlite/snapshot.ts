/** All of it: what the debug operations need, and nothing else does. */
import type { DatabaseSync } from "node:sqlite";
import type { Snapshot } from "../../core/records.ts";
import { promiseOf, type Row, taskOf } from "../rows.ts";
import { PROMISE_COLUMNS, TASK_COLUMNS } from "./statements.ts";

export function snapshot(db: DatabaseSync): Snapshot {
  const all = (sql: string): readonly Row[] => db.prepare(sql).all();
  return {
    promises: all(`SELECT ${PROMISE_COLUMNS} FROM promises p ORDER BY p.id`).map(promiseOf),
    tasks: all(
      `SELECT p.id, ${TASK_COLUMNS} FROM tasks t JOIN promises p ON p.seq = t.seq ORDER BY p.id`,
    ).map(taskOf),
    callbacks: all(
      `SELECT one.id AS awaiter, two.id AS awaited FROM callbacks c
       JOIN promises one ON one.seq = c.awaiter JOIN promises two ON two.seq = c.awaited
       ORDER BY one.id, two.id`,
    ).map((row) => ({ awaiter: String(row["awaiter"]), awaited: String(row["awaited"]) })),
    listeners: all(
      `SELECT p.id, l.address, l.notify_at FROM listeners l JOIN promises p ON p.seq = l.awaited
       ORDER BY p.id, l.address`,
    ).map((row) => ({
      awaited: String(row["id"]),
      address: String(row["address"]),
      ...(row["notify_at"] !== null && { notifyAt: Number(row["notify_at"]) }),
    })),
  };
}

/** Within a transaction. */
export function deleteAll(db: DatabaseSync): void {
  for (const table of ["callbacks", "resumes", "listeners", "tasks", "promises", "schedules"]) {
    db.exec(`DELETE FROM ${table}`);
  }
}
