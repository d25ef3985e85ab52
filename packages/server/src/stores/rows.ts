/** Records ↔ rows. States are stored by their place in these lists, so the lists only grow at the end. */
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { PromiseState, ScheduleRecord, Tags, TaskState, Value } from "@resonate-ts/protocol";
import type { StoredPromise, StoredTask } from "../core/records.ts";
import { INDEXED_TAGS } from "./search.ts";
import { StoreDamagedError } from "./store.ts";

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
function bytesOf(row: Row): number {
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

/** A new promise's row. */
export interface PromiseRow {
  /** After `seq`. */
  readonly cells: Cell[];
  readonly bornCrc: number;
}

export function promiseRow(promise: StoredPromise): PromiseRow {
  const { id, timeoutAt, createdAt } = promise;
  const tags = JSON.stringify(promise.tags);
  const param = JSON.stringify(promise.param);
  const bornCrc = crcOfBirth({ id, timeoutAt, createdAt, tags, param });
  const [state, settledAt, dueAt, value, crc] = settlementCells(promise, bornCrc);
  const hashes = INDEXED_TAGS.map((tag) => tagHash(promise, tag));
  const cells = [
    id,
    timeoutAt,
    createdAt,
    tags,
    param,
    ...hashes,
    state,
    settledAt,
    dueAt,
    value,
    crc,
  ];
  return { cells, bornCrc };
}

/** The cells of a promise's row that settling changes; `bornCrc` is the checksum of all others. */
export function settlementCells(promise: StoredPromise, bornCrc: number) {
  const { settledAt = null, dueAt = null } = promise;
  const state = promiseState(promise.state);
  const value = JSON.stringify(promise.value);
  return [state, settledAt, dueAt, value, crcOfRow({ state, settledAt, value }, bornCrc)] as const;
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
    task.failures ?? 0,
    task.cause ?? null,
  ];
}

// The rows are those that this file wrote, so their JSON has the shapes it had.

/** @throws StoreDamagedError when the row is not what was written. */
export function promiseOf(row: Row): StoredPromise {
  return readPromise(row).promise;
}

/** The promise of a row, and the checksum of what of it is fixed. @throws StoreDamagedError as `promiseOf`. */
export function readPromise(row: Row): {
  readonly promise: StoredPromise;
  readonly bornCrc: number;
} {
  const bornCrc = checkedBornCrc(row);
  const promise = {
    id: row["id"] as string,
    state: promiseStateOf(row),
    param: JSON.parse(row["param"] as string) as Value,
    value: JSON.parse(row["value"] as string) as Value,
    tags: JSON.parse(row["tags"] as string) as Tags,
    timeoutAt: row["timeout_at"] as number,
    createdAt: row["created_at"] as number,
    ...(row["settled_at"] !== null && { settledAt: row["settled_at"] as number }),
    ...(row["due_at"] !== null && { dueAt: row["due_at"] as number }),
  };
  return { promise, bornCrc };
}

/** What of a row is fixed when the promise is created, as it is stored. */
interface Birth {
  readonly id: unknown;
  readonly timeoutAt: unknown;
  readonly createdAt: unknown;
  readonly tags: unknown;
  readonly param: unknown;
}

/** The checksum of a row; that of a birth is a part of it, so that settling need not read the birth again. */
export function crcOfRow(
  { state, settledAt, value }: { state: unknown; settledAt: unknown; value: unknown },
  bornCrc: number,
): number {
  return crc32(`${state} ${settledAt} ${value}`, bornCrc);
}

export function crcOfBirth({ id, timeoutAt, createdAt, tags, param }: Birth): number {
  return crc32(`${id} ${timeoutAt} ${createdAt} ${tags} ${param}`);
}

/** The checksum of a row's birth, when that of the whole row is right. */
function checkedBornCrc(row: Row): number {
  const { id, timeout_at: timeoutAt, created_at: createdAt, tags, param } = row;
  const bornCrc = crcOfBirth({ id, timeoutAt, createdAt, tags, param });
  const { state, settled_at: settledAt, value } = row;
  if (crcOfRow({ state, settledAt, value }, bornCrc) === row["crc"]) return bornCrc;
  throw new StoreDamagedError(
    `promise '${String(id)}' is damaged: its checksum says that the file does not hold what was written. ` +
      "Nothing of it is served; to have it back, stop the server and restore the file from a backup",
  );
}

/** The task of a row whose columns of the task are named `task_*`. */
export function taskOf(row: Row): StoredTask {
  return {
    id: row["id"] as string,
    state: taskStateOf(row),
    version: row["task_version"] as number,
    resumes: row["task_resumes"] as number,
    ...(row["task_ttl"] !== null && { ttl: row["task_ttl"] as number }),
    ...(row["task_pid"] !== null && { pid: row["task_pid"] as string }),
    ...(row["task_due_at"] !== null && { dueAt: row["task_due_at"] as number }),
    ...(row["task_failures"] !== 0 && { failures: row["task_failures"] as number }),
    ...(row["task_cause"] !== null && { cause: row["task_cause"] as string }),
  };
}

export function promiseStateOf(row: Row): PromiseState {
  return PROMISE_STATES[row["state"] as number] ?? unreadable("state of a promise", row);
}

export function taskStateOf(row: Row): TaskState {
  return TASK_STATES[row["task_state"] as number] ?? unreadable("state of a task", row);
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
