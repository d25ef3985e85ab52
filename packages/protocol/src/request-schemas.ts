/**
 * What the data of each kind of request is like.
 *
 * Limits are on what is created. Where they are lower than they were, what is there already can be named all the same.
 */
import { z } from "zod";
import { addressProblem } from "./addresses.ts";
import {
  address,
  DEFAULT_LIMITS,
  fits,
  ID_LENGTH_MAX,
  idWithin,
  instant,
  nullable,
  page,
  type RecordLimits,
  strings,
  ttl,
  value,
  version,
} from "./fields.ts";
import { scheduledId } from "./ids.ts";
import type { Tags } from "./records.ts";
import type {
  Action,
  DebugData,
  DebugKind,
  PromiseCreate,
  RequestData,
  RequestKind,
} from "./requests.ts";
import { TAG, tagsProblem } from "./tags.ts";

/** Most functions that a worker announces. */
export const FUNCTIONS_MAX = 10_000;
/** Most versions of one of them. */
export const VERSIONS_MAX = 1_000;
/** Longest cron expression, in characters. */
const CRON_LENGTH_MAX = 1_024;

/** The data of each kind, within the limits that hold for what is created. */
export function requestSchemas(limits: RecordLimits) {
  const parts = partsWithin(limits);
  return {
    ...promiseSchemas(parts),
    ...taskSchemas(parts),
    ...scheduleSchemas(parts),
    ...workerSchemas,
  } satisfies { readonly [K in RequestKind]: z.ZodType<RequestData[K]> };
}

type Parts = ReturnType<typeof partsWithin>;

function partsWithin(limits: RecordLimits) {
  // What there may be already, by limits as they are now or as they are by default.
  const known: RecordLimits = {
    idBytes: Math.max(limits.idBytes, DEFAULT_LIMITS.idBytes),
    tags: Math.max(limits.tags, DEFAULT_LIMITS.tags),
    tagBytes: Math.max(limits.tagBytes, DEFAULT_LIMITS.tagBytes),
  };
  const id = idWithin(known.idBytes);
  const newTags = tagsWithin(limits);
  const create: z.ZodType<PromiseCreate> = z
    .object({
      id: idWithin(limits.idBytes),
      timeoutAt: instant,
      param: value.default({}),
      tags: newTags.default({}),
    })
    .superRefine((promise, context) => {
      const message = tagsProblem(promise);
      if (message) context.addIssue({ code: "custom", message });
    });
  const settle = z.object({
    id,
    state: z.enum(["resolved", "rejected", "rejected_canceled"]),
    value: value.default({}),
  });
  const callback = z
    .object({ awaited: id, awaiter: id })
    .refine(({ awaited, awaiter }) => awaited !== awaiter, "a promise must not await itself");
  const filter = nullable(tagsWithin(known)).transform((given) => given ?? {});
  return { limits, known, id, newTags, filter, create, settle, callback, claim: { id, version } };
}

function tagsWithin({ tags, tagBytes }: RecordLimits): z.ZodType<Tags> {
  return strings({ lengthMax: tagBytes, entriesMax: tags });
}

const promiseStates = [
  "pending",
  "resolved",
  "rejected",
  "rejected_canceled",
  "rejected_timedout",
] as const;

function promiseSchemas({ id, create, settle, callback, filter, known }: Parts) {
  return {
    "promise.get": z.object({ id }),
    "promise.create": create,
    "promise.settle": settle,
    "promise.register_callback": callback,
    "promise.register_listener": z.object({ awaited: id, address }),
    "promise.search": z.object({
      state: nullable(z.enum(promiseStates)),
      tags: filter,
      idPrefix: nullable(id),
      ...page(100, known),
    }),
  };
}

const taskStates = ["pending", "acquired", "suspended", "halted", "fulfilled"] as const;

function taskSchemas(parts: Parts) {
  const { id, claim, known, create, settle, callback } = parts;
  const claimedCreate = action("promise.create", create).refine(
    ({ data }) => data.tags[TAG.target] !== undefined && data.tags[TAG.delay] === undefined,
    { path: ["data", "tags"], message: `must have ${TAG.target} and must not have ${TAG.delay}` },
  );
  return {
    "task.get": z.object({ id }),
    "task.create": z.object({ pid, ttl, action: claimedCreate }),
    "task.acquire": z.object({ ...claim, pid, ttl }),
    "task.fence": fenceWithin(parts),
    "task.heartbeat": z.object({ pid, tasks: z.array(z.object(claim)).min(1) }),
    "task.suspend": z
      .object({ ...claim, actions: z.array(action("promise.register_callback", callback)).min(1) })
      .superRefine(({ id: awaiter, actions }, context) => {
        const message = suspendProblem(
          awaiter,
          actions.map(({ data }) => data),
        );
        if (message) context.addIssue({ code: "custom", path: ["actions"], message });
      }),
    "task.fulfill": z
      .object({ ...claim, action: action("promise.settle", settle) })
      .refine((fulfill) => fulfill.action.data.id === fulfill.id, {
        path: ["action", "data", "id"],
        message: "must be the task's own promise",
      }),
    "task.release": z.object(claim),
    "task.halt": z.object({ id }),
    "task.continue": z.object({ id }),
    "task.search": z.object({ state: nullable(z.enum(taskStates)), ...page(100, known) }),
  };
}

function fenceWithin({ claim, create, settle }: Parts) {
  const fencedAction = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("promise.create"), data: create }),
    z.object({ kind: z.literal("promise.settle"), data: settle }),
  ]);
  return z
    .object({
      ...claim,
      action: fencedAction,
      // biome-ignore lint/suspicious/noThenProperty: the wire's name; its value is an object, so nothing awaits it.
      then: z.object({ kind: z.literal("promise.create"), data: create }).optional(),
    })
    .refine(({ id, action }) => action.data.id !== id, {
      path: ["action", "data", "id"],
      message: "must not be the task's own promise",
    })
    .refine(({ action, then }) => !then || action.kind === "promise.settle", {
      path: ["then"],
      message: "must go with an action promise.settle",
    })
    .refine(({ id, action, then }) => !then || ![id, action.data.id].includes(then.data.id), {
      path: ["then", "data", "id"],
      message: "must not be the task's own promise, nor the one that is settled",
    });
}

/** Any `kind` is let through, as official servers do: the place says what the action is. */
function action<K extends string, D>(kind: K, data: z.ZodType<D>) {
  const parts = { kind: z.string(), head: z.unknown().optional(), data };
  return z.object(parts).transform((given): Action<K, D> => ({ kind, data: given.data as D }));
}

function scheduleSchemas({ id, limits, newTags, filter, known }: Parts) {
  const newId = idWithin(limits.idBytes);
  return {
    "schedule.create": z
      .object({
        id: newId.refine((text) => !text.includes(":"), "must not contain ':'"),
        cron: z.string().min(1).max(CRON_LENGTH_MAX),
        promiseId: newId,
        promiseTimeout: instant,
        promiseParam: value.default({}),
        promiseTags: newTags.superRefine((given, context) => {
          const message = scheduleTagsProblem(given);
          if (message) context.addIssue({ code: "custom", message });
        }),
      })
      .refine(({ id, promiseId }) => fits(longestId(promiseId, id), limits.idBytes), {
        path: ["promiseId"],
        message: `makes ids that are longer than ${limits.idBytes} bytes of UTF-8`,
      }),
    "schedule.get": z.object({ id }),
    "schedule.delete": z.object({ id }),
    "schedule.search": z.object({ tags: filter, ...page(10, known) }),
  };
}

/** Names of processes are no ids of records; their limit is fixed. */
const pid = idWithin(ID_LENGTH_MAX);

const workerSchemas = {
  "worker.announce": z.object({
    group: z.string().min(1).max(ID_LENGTH_MAX),
    pid,
    ttl,
    slots: z.int().min(1),
    functions: z
      .record(z.string().max(ID_LENGTH_MAX), z.array(z.int().min(0)).max(VERSIONS_MAX))
      .refine((given) => Object.keys(given).length <= FUNCTIONS_MAX, {
        message: `must have at most ${FUNCTIONS_MAX} entries`,
      }),
  }),
};

const nothing = z.object({});
export const debugSchemas = {
  "debug.start": nothing,
  "debug.stop": nothing,
  "debug.reset": nothing,
  "debug.tick": z.object({ time: instant }),
  "debug.snap": nothing,
} satisfies { readonly [K in DebugKind]: z.ZodType<DebugData[K]> };

function suspendProblem(
  awaiter: string,
  callbacks: readonly { readonly awaited: string; readonly awaiter: string }[],
): string | undefined {
  const awaited = new Set<string>();
  for (const callback of callbacks) {
    if (callback.awaiter !== awaiter) return `awaiter must be the task '${awaiter}'`;
    if (awaited.has(callback.awaited)) return `awaited '${callback.awaited}' is named twice`;
    awaited.add(callback.awaited);
  }
  return undefined;
}

function scheduleTagsProblem(given: Tags): string | undefined {
  const target = given[TAG.target];
  if (target === undefined) return `must have ${TAG.target}`;
  const message = addressProblem(target);
  return message && `${TAG.target} ${message}`;
}

/** What a template makes at the last instant that a number can tell. */
function longestId(template: string, id: string): string {
  return scheduledId(template, { id, occurrence: Number.MAX_SAFE_INTEGER });
}
