/** Promises as the page shows them in lists. */
import {
  type ExecutionNode,
  isTimer,
  type NodeKind,
  TAG,
  type TaskRecord,
} from "@resonate-ts/protocol";
import { deadlineState } from "../core/project.ts";
import type { StoredTask } from "../core/records.ts";
import type { Outline } from "../stores/insight.ts";

/** The promise as of `at`. */
export function nodeOf(outline: Outline, at: number): ExecutionNode {
  const { id, tags, createdAt, timeoutAt } = outline;
  const over = outline.state === "pending" && at >= timeoutAt;
  const state = over ? deadlineState(outline) : outline.state;
  const settledAt = over ? timeoutAt : outline.settledAt;
  const call = callOf(outline.paramHead);
  const parent = parentOf(outline);
  const schedule = tags[TAG.schedule];
  const target = tags[TAG.target];
  return {
    id,
    kind: kindOf(outline, parent),
    ...call,
    state,
    createdAt,
    ...(settledAt !== undefined && { settledAt }),
    timeoutAt,
    ...(parent !== undefined && { parent }),
    ...(isShared(outline) && { shared: true }),
    ...(schedule !== undefined && { schedule }),
    ...(target !== undefined && { target }),
    ...(outline.task && { task: taskOf(outline.task, over) }),
    paramBytes: sizeOf(outline.paramBytes),
    valueBytes: sizeOf(outline.valueBytes),
  };
}

/** The root of the tree that a promise belongs to. */
export function rootIdOf({ id, tags }: Pick<Outline, "id" | "tags">): string {
  return tags[TAG.origin] ?? id;
}

/** Who called it, else its parent, else its root; `undefined` for a root. */
export function parentOf({ id, tags }: Pick<Outline, "id" | "tags">): string | undefined {
  const candidates = [tags[TAG.caller], tags[TAG.parent], tags[TAG.origin]];
  return candidates.find((one) => one !== undefined && one !== id);
}

/** Timers, and promises that are settled from outside, start nothing. */
export function mayStart({ tags }: Pick<Outline, "tags">): boolean {
  return !isTimer(tags) && (tags[TAG.scope] === "local" || tags[TAG.target] !== undefined);
}

/** Its id was chosen by a call. */
function isShared({ id, tags }: Outline): boolean {
  return tags[TAG.caller] !== undefined && (tags[TAG.origin] ?? id) === id;
}

function kindOf({ tags }: Outline, parent: string | undefined): NodeKind {
  if (isTimer(tags)) return "sleep";
  if (tags[TAG.scope] === "local") return "run";
  if (parent === undefined) return "root";
  return tags[TAG.target] === undefined ? "promise" : "rpc";
}

function taskOf({ state, version, pid, failures }: StoredTask, over: boolean) {
  const record: Pick<TaskRecord, "state" | "version" | "pid" | "failures"> = over
    ? { state: "fulfilled", version }
    : {
        state,
        version,
        ...(pid !== undefined && { pid }),
        ...(failures !== undefined && { failures }),
      };
  return record;
}

/** Of the JSON text `{}` there is nothing to be seen. */
function sizeOf(bytes: number): number {
  return bytes <= 2 ? 0 : bytes;
}

const DATA = /"data":"([A-Za-z0-9+/]*)/;
/** The name comes first, as SDKs write it; the version after the arguments, so that it may be out of sight. */
const FUNC = /^\{"func":("(?:[^"\\]|\\.)*")/;
const VERSION = /,"version":(\d{1,15})\}$/;
/** How much of a payload is looked at, in characters: 1 KiB in base64. */
const DATA_LENGTH_MAX = 1_368;

/** The function that is called, where the beginning of the parameters says so. */
function callOf(paramHead: string | undefined): Pick<ExecutionNode, "func" | "version"> {
  const base64 = paramHead === undefined ? undefined : DATA.exec(paramHead)?.[1];
  if (!base64) return {};
  const text = Buffer.from(base64.slice(0, DATA_LENGTH_MAX), "base64").toString("utf8");
  const quoted = FUNC.exec(text)?.[1];
  const func = quoted === undefined ? undefined : textIn(quoted);
  // A step may be a function without a name.
  if (!func) return {};
  const version = VERSION.exec(text)?.[1];
  return { func, ...(version !== undefined && { version: Number(version) }) };
}

function textIn(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}
