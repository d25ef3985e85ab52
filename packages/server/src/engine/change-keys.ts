/** Names records, so that the last change to each can be told from those before it. */
import type { Callback, Change, Delete, Put } from "../core/records.ts";
import type { ListenerKey } from "../core/step.ts";

/** Names the record that a change is to. Resumes are kept apart: they are cleared by awaiter. */
export function keyOf(change: Change): string | undefined {
  return "put" in change ? keyOfPut(change) : keyOfDelete(change);
}

function keyOfPut(change: Put): string | undefined {
  switch (change.put) {
    case "promise":
    case "task":
    case "schedule":
      return `${change.put} ${change.record.id}`;
    case "callback":
      return callbackKey(change.record);
    case "listener":
      return listenerKey(change.record);
    case "resume":
      return undefined;
  }
}

function keyOfDelete(change: Delete): string | undefined {
  switch (change.delete) {
    case "promise":
      // Not the key of the record: one that is created after it must not take its place.
      return `deletion ${change.id}`;
    case "callback":
      return callbackKey(change.record);
    case "listener":
      return listenerKey(change.record);
    case "schedule":
      return `schedule ${change.id}`;
    case "resumes":
      return undefined;
  }
}

function callbackKey({ awaiter, awaited }: Callback): string {
  return `callback ${awaited}\0${awaiter}`;
}

export function listenerKey({ awaited, address }: ListenerKey): string {
  return `listener ${awaited}\0${address}`;
}
