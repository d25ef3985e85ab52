/**
 * Reads requests from the wire. Everything that can be said of a request without looking at stored records
 * is checked here; what passes is well-formed, with its defaults filled in.
 */
import { z } from "zod";
import { addressProblem } from "./addresses.ts";
import { scheduledId } from "./ids.ts";
import type { Tags, Value } from "./records.ts";
import type {
  Action,
  DebugData,
  DebugKind,
  DebugRequest,
  PromiseCreate,
  Request,
  RequestData,
  RequestHead,
  RequestKind,
} from "./requests.ts";
import { PROTOCOL_VERSION } from "./requests.ts";
import { TAG, tagsProblem } from "./tags.ts";

/** Longest id, in bytes of UTF-8. */
export const ID_LENGTH_MAX = 1_024;
/** Most tags on one promise. */
export const TAGS_MAX = 64;
/** Longest tag value or name, in bytes of UTF-8. */
export const TAG_LENGTH_MAX = 1_024;
/** Longest header value or name of a payload, in bytes of UTF-8. There may be as many as tags. */
export const HEADER_LENGTH_MAX = 8_192;
/** Longest trace context, in characters: what later versions add to the 55 of the first is for others. */
const TRACEPARENT_LENGTH_MAX = 256;
/** Longest cursor, in characters: an id in base64 of percent-encoding, which takes at most 4 for one of its bytes. */
export const CURSOR_LENGTH_MAX = 4 * ID_LENGTH_MAX;
/** Longest cause of a release or a halt, in characters; longer ones are cut off, so that nothing fails for its reason. */
export const CAUSE_LENGTH_MAX = 2_000;
/** Most functions that a worker announces. */
export const FUNCTIONS_MAX = 10_000;
/** Most versions of one of them. */
export const VERSIONS_MAX = 1_000;
/** Longest cron expression, in characters. */
const CRON_LENGTH_MAX = 1_024;
/** Largest page of a search. */
export const PAGE_LIMIT_MAX = 1_000;

/** What to answer to what cannot be read: 400 with `message`, echoing `kind` and `corrId`. */
export interface Unread {
  readonly ok: false;
  readonly kind: string;
  readonly corrId: string;
  readonly message: string;
}

/** A request of which only the outside has been read: what is in `data` may be anything. */
export interface Envelope {
  readonly kind: string;
  readonly head: RequestHead;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Parsed = { readonly ok: true; readonly request: Request } | Unread;

/** Reads one envelope that has been through `JSON.parse`, all of it. Never throws. */
export function parseRequest(input: unknown): Parsed {
  const opened = parseEnvelope(input);
  return opened.ok ? parseData(opened.envelope) : opened;
}

/** Reads the outside of an envelope: enough to see who asks for what. Never throws. */
export function parseEnvelope(
  input: unknown,
): { readonly ok: true; readonly envelope: Envelope } | Unread {
  const kind = salvage(input, "kind") ?? "unknown";
  const corrId = salvage(member(input, "head"), "corrId") ?? "0";
  const read = envelopeSchema.safeParse(input);
  if (!read.success) {
    return { ok: false, kind, corrId, message: `Invalid request envelope: ${problem(read.error)}` };
  }
  const envelope = read.data;
  if (envelope.head.version === PROTOCOL_VERSION) return { ok: true, envelope };
  const message = `Unsupported version '${envelope.head.version}'; supported: ${PROTOCOL_VERSION}`;
  return { ok: false, kind, corrId, message };
}

/** Reads the inside of an envelope. Never throws. */
export function parseData({ kind, head, data }: Envelope): Parsed {
  const { corrId } = head;
  if (!isRequestKind(kind)) {
    return { ok: false, kind, corrId, message: `Unknown operation: ${kind}` };
  }
  const parsed = dataSchemas[kind].safeParse(data);
  if (!parsed.success) {
    return { ok: false, kind, corrId, message: `Invalid request: ${problem(parsed.error)}` };
  }
  // `data` was parsed by the schema of `kind`.
  return { ok: true, request: { kind, head, data: parsed.data } as Request };
}

/** Reads the inside of an envelope with a debug operation in it. Never throws. */
export function parseDebugData({
  kind,
  head,
  data,
}: Envelope): { readonly ok: true; readonly request: DebugRequest } | Unread {
  const { corrId } = head;
  if (!isDebugKind(kind)) {
    return { ok: false, kind, corrId, message: `Unknown operation: ${kind}` };
  }
  const parsed = debugSchemas[kind].safeParse(data);
  if (!parsed.success) {
    return { ok: false, kind, corrId, message: `Invalid request: ${problem(parsed.error)}` };
  }
  // As above.
  return { ok: true, request: { kind, head, data: parsed.data } as DebugRequest };
}

export function isDebugKind(kind: string): kind is DebugKind {
  return Object.hasOwn(debugSchemas, kind);
}

export function isRequestKind(kind: string): kind is RequestKind {
  return Object.hasOwn(dataSchemas, kind);
}

const envelopeSchema = z.object({
  kind: z.string().min(1),
  head: z.object({
    corrId: z.string(),
    version: z.string(),
    auth: nullable(z.string()),
    "resonate:preload": z.enum(["delta", "none"]).optional().catch(undefined),
    "resonate:cause": z.string().transform(causeOf).optional().catch(undefined),
    "resonate:debug_time": nullable(z.int().min(0)),
    traceparent: z.string().max(TRACEPARENT_LENGTH_MAX).optional().catch(undefined),
  }),
  data: z.record(z.string(), z.unknown()),
});

const id = z
  .string()
  .min(1)
  .refine((text) => fits(text, ID_LENGTH_MAX), `must be at most ${ID_LENGTH_MAX} bytes of UTF-8`)
  .refine((text) => !text.includes("\0"), "must not contain a NUL character")
  // Half a surrogate pair cannot be written as UTF-8: two such ids would become one.
  .refine((text) => text.isWellFormed(), "must be well-formed Unicode");
const instant = z.int().min(0);
const version = z.int().min(0);
const ttl = z.int().min(1);
const value = z
  .object({
    headers: strings({ lengthMax: HEADER_LENGTH_MAX }).nullish(),
    data: z.string().nullish(),
  })
  .transform(
    ({ headers, data }): Value => ({ ...(headers && { headers }), ...(data != null && { data }) }),
  );
const tags: z.ZodType<Tags> = strings({ lengthMax: TAG_LENGTH_MAX });
const address = z.string().superRefine((text, context) => {
  const message = text.isWellFormed() ? addressProblem(text) : "must be well-formed Unicode";
  if (message) context.addIssue({ code: "custom", message });
});
const page = (limit: number) => ({
  limit: nullable(z.int().min(1).max(PAGE_LIMIT_MAX)).transform((given) => given ?? limit),
  cursor: nullable(z.string().max(CURSOR_LENGTH_MAX)),
});
const promiseStates = [
  "pending",
  "resolved",
  "rejected",
  "rejected_canceled",
  "rejected_timedout",
] as const;
const taskStates = ["pending", "acquired", "suspended", "halted", "fulfilled"] as const;

const create: z.ZodType<PromiseCreate> = z
  .object({ id, timeoutAt: instant, param: value.default({}), tags: tags.default({}) })
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
const claim = { id, version };

const functions = z
  .record(z.string().max(ID_LENGTH_MAX), z.array(z.int().min(0)).max(VERSIONS_MAX))
  .refine((given) => Object.keys(given).length <= FUNCTIONS_MAX, {
    message: `must have at most ${FUNCTIONS_MAX} entries`,
  });

/** Any `kind` is let through, as official servers do: the place says what the action is. */
function action<K extends string, D>(kind: K, data: z.ZodType<D>) {
  const parts = { kind: z.string(), head: z.unknown().optional(), data };
  return z.object(parts).transform((given): Action<K, D> => ({ kind, data: given.data as D }));
}

const claimedCreate = action("promise.create", create).refine(
  ({ data }) => data.tags[TAG.target] !== undefined && data.tags[TAG.delay] === undefined,
  { path: ["data", "tags"], message: `must have ${TAG.target} and must not have ${TAG.delay}` },
);
const fencedAction = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("promise.create"), data: create }),
  z.object({ kind: z.literal("promise.settle"), data: settle }),
]);

const fence = z
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

const dataSchemas = {
  "promise.get": z.object({ id }),
  "promise.create": create,
  "promise.settle": settle,
  "promise.register_callback": callback,
  "promise.register_listener": z.object({ awaited: id, address }),
  "promise.search": z.object({
    state: nullable(z.enum(promiseStates)),
    tags: nullable(tags).transform((given) => given ?? {}),
    idPrefix: nullable(id),
    ...page(100),
  }),
  "task.get": z.object({ id }),
  "task.create": z.object({ pid: id, ttl, action: claimedCreate }),
  "task.acquire": z.object({ ...claim, pid: id, ttl }),
  "task.fence": fence,
  "task.heartbeat": z.object({ pid: id, tasks: z.array(z.object(claim)).min(1) }),
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
  "task.search": z.object({ state: nullable(z.enum(taskStates)), ...page(100) }),
  "worker.announce": z.object({
    group: z.string().min(1).max(ID_LENGTH_MAX),
    pid: id,
    ttl,
    slots: z.int().min(1),
    functions,
  }),
  "schedule.create": z
    .object({
      id: id.refine((text) => !text.includes(":"), "must not contain ':'"),
      cron: z.string().min(1).max(CRON_LENGTH_MAX),
      promiseId: id,
      promiseTimeout: instant,
      promiseParam: value.default({}),
      promiseTags: tags.superRefine((given, context) => {
        const message = scheduleTagsProblem(given);
        if (message) context.addIssue({ code: "custom", message });
      }),
    })
    .refine(({ id, promiseId }) => fits(longestId(promiseId, id), ID_LENGTH_MAX), {
      path: ["promiseId"],
      message: `makes ids that are longer than ${ID_LENGTH_MAX} bytes of UTF-8`,
    }),
  "schedule.get": z.object({ id }),
  "schedule.delete": z.object({ id }),
  "schedule.search": z.object({
    tags: nullable(tags).transform((given) => given ?? {}),
    ...page(10),
  }),
} satisfies { readonly [K in RequestKind]: z.ZodType<RequestData[K]> };

function causeOf(text: string): string {
  // Stores keep text without NUL, and as UTF-8.
  return text.slice(0, CAUSE_LENGTH_MAX).replaceAll("\0", "\uFFFD").toWellFormed();
}
const nothing = z.object({});
const debugSchemas = {
  "debug.start": nothing,
  "debug.stop": nothing,
  "debug.reset": nothing,
  "debug.tick": z.object({ time: instant }),
  "debug.snap": nothing,
} satisfies { readonly [K in DebugKind]: z.ZodType<DebugData[K]> };

/** An object of strings, taken as it is. */
function strings(limit: { readonly lengthMax: number }) {
  return z.custom<Readonly<Record<string, string>>>().superRefine((given: unknown, context) => {
    const found = stringsProblem(given, limit);
    if (found) context.addIssue({ code: "custom", continue: false, ...found });
  });
}

function stringsProblem(given: unknown, { lengthMax }: { readonly lengthMax: number }) {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { message: "must be an object of strings" };
  }
  const entries = Object.entries(given);
  if (entries.length > TAGS_MAX) return { message: `must have at most ${TAGS_MAX} entries` };
  for (const [name, text] of entries) {
    const path = [name];
    if (typeof text !== "string") return { path, message: "must be a string" };
    // Programs that copy it the usual way would set a prototype instead.
    if (name === "__proto__") return { path, message: "cannot be used as a name" };
    if (!fits(name, lengthMax) || !fits(text, lengthMax)) {
      const message = `must be at most ${lengthMax} bytes of UTF-8, name and text each`;
      return { path: [name.slice(0, 40)], message };
    }
  }
  return undefined;
}

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

/** Whether `text` takes at most `bytesMax` bytes of UTF-8. One character takes 1 to 3 (two of them 4 together). */
function fits(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false;
  return text.length * 3 <= bytesMax || new TextEncoder().encode(text).length <= bytesMax;
}

/** `null` reads as absent. */
function nullable<S extends z.ZodType>(schema: S) {
  return schema.nullish().transform((given): z.output<S> | undefined => given ?? undefined);
}

function problem(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return "malformed";
  const path = issue.path.map(String).join(".");
  return path ? `${path}: ${issue.message}` : issue.message;
}

function member(input: unknown, name: string): unknown {
  return typeof input === "object" && input !== null
    ? (input as Record<string, unknown>)[name] // A look, not a belief: the result stays unknown.
    : undefined;
}

function salvage(input: unknown, name: string): string | undefined {
  const found = member(input, name);
  return typeof found === "string" && found !== "" ? found : undefined;
}
