/** All of it: what the debug operations need, and nothing else does. */
import type { Snapshot } from "../../core/records.ts";
import { promiseOf, taskOf } from "../rows.ts";
import { ALL_CALLBACKS, ALL_LISTENERS, ALL_PROMISES } from "./statements.ts";
import type { Query } from "./transaction.ts";

export async function snapshot(query: Query): Promise<Snapshot> {
  const promises = await query(ALL_PROMISES, [], "all promises");
  const callbacks = await query(ALL_CALLBACKS, [], "all callbacks");
  const listeners = await query(ALL_LISTENERS, [], "all listeners");
  return {
    promises: promises.map(promiseOf),
    tasks: promises.filter((row) => row["task_state"] !== null).map(taskOf),
    callbacks: callbacks.map((row) => ({
      awaiter: String(row["awaiter"]),
      awaited: String(row["awaited"]),
    })),
    listeners: listeners.map((row) => ({
      awaited: String(row["id"]),
      address: String(row["address"]),
      ...(row["notify_at"] !== null && { notifyAt: Number(row["notify_at"]) }),
    })),
  };
}
