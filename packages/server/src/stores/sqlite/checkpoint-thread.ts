/**
 * Moves the log into the database, on a thread and a connection of its own: each message is answered by what became of
 * one attempt. It ends when it is told to close.
 */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointThreadData, Moved, Order } from "./checkpoints.ts";
import { errorCode } from "./errors.ts";

const { path, synchronous } = workerData as CheckpointThreadData; // Given by `Checkpoints`.
const db = new DatabaseSync(path);
db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 0`);
const passive = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");

parentPort?.on("message", (order: Order) => {
  if (order === "move") return parentPort?.postMessage(move());
  db.close();
  parentPort?.close();
});

function move(): Moved {
  try {
    const row = passive.get();
    return { kind: "moved", all: row?.["busy"] === 0 && row["log"] === row["checkpointed"] };
  } catch (error) {
    // An error that is sent to another thread loses its code.
    return { kind: "failed", code: errorCode(error), message: String(error) };
  }
}
