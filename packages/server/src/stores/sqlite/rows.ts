/** Records ↔ rows. States are stored by their place in these lists, so the lists only grow at the end. */
import { hash } from "node:crypto";
import {
  type PromiseState,
  type ScheduleRecord,
  TAG,
  type Tags,
  type TaskState,
  type Value,
} from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "../../core/records.ts";

const PROMISE_STATES: readonly PromiseState[] = [
  "pending",
  "resolved",
  "rejected",
  "rejected_canceled",
  "rejected_timedout",
];
const TASK_STATES: readonly TaskState[] = [
  "pending",
  "acquired",
  "suspended",
  "halted",
  "fulfilled",
];

export type Row = Readonly<Record<string, unknown>>;
type Cell = string | number | null;

export function promiseState(state: PromiseState): number {
  return PROMISE_STATES.indexOf(state);
}

export function taskState(state: TaskState): number {
  return TASK_STATES.indexOf(state);
}

/** About the size of a row: its long columns. */
export function bytesOf(row: Row): number {
  const length = (cell: unknown) => (typeof cell === "string" ? cell.length : 0);
  return ["param", "value", "tags", "record"].reduce((sum, name) => sum + length(row[name]), 0);
}

/** Rows until they are about `bytesMax` together; at least one. */
export function* upTo(bytesMax = Number.POSITIVE_INFINITY, rows: Iterable<Row>): Generator<Row> {
  let bytes = 0;
  for (const row of rows) {
    yield row;
    bytes += bytesOf(row);
    if (bytes >= bytesMax) return;
  }
}

/** The cells of a new promise's row, after `seq`. */
export function promiseCells(promise: StoredPromise): Cell[] {
  return [
    promise.id,
    promiseState(promise.state),
    promise.timeoutAt,
    promise.createdAt,
    promise.settledAt ?? null,
    promise.dueAt ?? null,
    tagHash(promise, TAG.branch),
    tagHash(promise, TAG.origin),
    tagHash(promise, TAG.caller),
    JSON.stringify(promise.tags),
    JSON.stringify(promise.param),
    JSON.stringify(promise.value),
  ];
}

/** The cells of a task's row, after `seq`. */
export function taskCells(task: StoredTask): Cell[] {
  return [
    taskState(task.state),
    task.version,
    task.resumes,
    task.ttl ?? null,
    task.pid ?? null,
    task.dueAt ?? null,
  ];
}

// The rows are those that this file wrote, so their JSON has the shapes it had.

export function promiseOf(row: Row): StoredPromise {
  return {
    id: row["id"] as string,
    state: PROMISE_STATES[row["state"] as number] ?? unreadable("state of a promise", row),
    param: JSON.parse(row["param"] as string) as Value,
    value: JSON.parse(row["value"] as string) as Value,
    tags: JSON.parse(row["tags"] as string) as Tags,
    timeoutAt: row["timeout_at"] as number,
    createdAt: row["created_at"] as number,
    ...(row["settled_at"] !== null && { settledAt: row["settled_at"] as number }),
    ...(row["due_at"] !== null && { dueAt: row["due_at"] as number }),
  };
}

/** The task of a row whose columns of the task are named `task_*`. */
export function taskOf(row: Row): StoredTask {
  return {
    id: row["id"] as string,
    state: TASK_STATES[row["task_state"] as number] ?? unreadable("state of a task", row),
    version: row["task_version"] as number,
    resumes: row["task_resumes"] as number,
    ...(row["task_ttl"] !== null && { ttl: row["task_ttl"] as number }),
    ...(row["task_pid"] !== null && { pid: row["task_pid"] as string }),
    ...(row["task_due_at"] !== null && { dueAt: row["task_due_at"] as number }),
  };
}

export function scheduleOf(row: Row): ScheduleRecord {
  return JSON.parse(row["record"] as string) as ScheduleRecord;
}

/** What an index of a tag holds: a hash, or nothing where the tag is absent or the promise's own id. */
function tagHash({ id, tags }: StoredPromise, tag: string): number | null {
  const text = tags[tag];
  return text === undefined || text === id ? null : hashOf(text);
}

/** 48 bits, so that it is a small integer everywhere. */
export function hashOf(text: string): number {
  return hash("sha1", text, "buffer").readUIntBE(0, 6);
}

function unreadable(what: string, row: Row): never {
  throw new Error(`the ${what} of '${String(row["id"])}' is not one that this version knows`);
}
