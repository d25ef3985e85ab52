/**
 * What a request touches, and whether a scope takes that in. The table has a rule for every field of every request;
 * its type is made from the types of the requests, so that a field without a rule does not compile.
 *
 * It is applied to data as it came, before it is read: whether a field is well-formed says nothing to those who may
 * not see it. What is not there, or of another type, passes here and is refused when it is read.
 */
import {
  isTimer,
  parseAddress,
  type RequestData,
  type RequestKind,
  scheduledId,
  TAG,
} from "@resonate-ts/protocol";
import { opens, type Scope } from "./scope.ts";

/** What a field means to a scope. */
export type Leaf =
  /** An id: of a promise, a task or a schedule. */
  | "id"
  /** The template of ids, in a schedule. */
  | "template"
  /** Where messages go: its group must be in the scope. */
  | "address"
  /** A group of workers. */
  | "group"
  /** Tags: those that name promises, and the target. */
  | "tags"
  /** Says nothing of whose it is. */
  | "free";

/** The rule of a value: a leaf, one rule for all entries of a list, or one for each field. */
export type Rule = Leaf | readonly [Rule] | { readonly [field: string]: Rule };

/** The rules that a value of type `T` needs. */
type RuleFor<T> = unknown extends T
  ? "free"
  : [T] extends [string]
    ? "id" | "template" | "address" | "group" | "free"
    : [T] extends [number]
      ? "free"
      : [T] extends [readonly (infer E)[]]
        ? readonly [RuleFor<E>]
        : string extends keyof T
          ? "tags" | "free"
          : { readonly [F in FieldOf<T>]-?: RuleFor<Exclude<ValueOf<T, F>, undefined>> };
/** Of every member of a union. */
type FieldOf<T> = T extends unknown ? keyof T : never;
type ValueOf<T, F> = T extends unknown ? (F extends keyof T ? T[F] : never) : never;

const value = { headers: "free", data: "free" } as const;
const create = { id: "id", timeoutAt: "free", param: value, tags: "tags" } as const;
const settle = { id: "id", state: "free", value } as const;
const callback = { awaited: "id", awaiter: "id" } as const;
const claim = { id: "id", version: "free" } as const;
const action = { kind: "free", head: "free" } as const;

/** `everything`: only for those who may see everything, because the answer is made from all there is. */
export const RULES: {
  readonly [K in RequestKind]: RuleFor<RequestData[K]> | "everything";
} = {
  "promise.get": { id: "id" },
  "promise.create": create,
  "promise.settle": settle,
  "promise.register_callback": callback,
  "promise.register_listener": { awaited: "id", address: "address" },
  "promise.search": "everything",
  "task.get": { id: "id" },
  "task.create": { pid: "free", ttl: "free", action: { ...action, data: create } },
  "task.acquire": { ...claim, pid: "free", ttl: "free" },
  "task.fence": {
    ...claim,
    action: { ...action, data: { ...create, ...settle } },
    // biome-ignore lint/suspicious/noThenProperty: the wire's name; nothing awaits this table.
    then: { ...action, data: create },
  },
  "task.heartbeat": { pid: "free", tasks: [claim] },
  "task.suspend": { ...claim, actions: [{ ...action, data: callback }] },
  "task.fulfill": { ...claim, action: { ...action, data: settle } },
  "task.release": claim,
  "task.halt": { id: "id" },
  "task.continue": { id: "id" },
  "task.search": "everything",
  "worker.announce": { group: "group", pid: "free", ttl: "free", slots: "free", functions: "free" },
  "schedule.create": {
    id: "id",
    cron: "free",
    promiseId: "template",
    promiseTimeout: "free",
    promiseParam: value,
    promiseTags: "tags",
  },
  "schedule.get": { id: "id" },
  "schedule.delete": { id: "id" },
  "schedule.search": "everything",
};

/** The tags that name a promise or a schedule. Forged ones would show a tree, or a preload, of somebody else. */
const LINEAGE = [TAG.origin, TAG.branch, TAG.parent, TAG.caller, TAG.prefix, TAG.schedule];
/** Stands for what is not known yet in an id. No prefix has it, and it is no delimiter. */
const UNKNOWN = "\uffff";

/** Whether `scope` takes in all that a request of this kind with this data touches. */
export function permits(
  scope: Scope,
  { kind, data }: { readonly kind: string; readonly data: Readonly<Record<string, unknown>> },
): boolean {
  switch (scope.kind) {
    case "everything":
      return true;
    case "nothing":
      return false;
    case "prefix": {
      const rule = Object.hasOwn(RULES, kind)
        ? RULES[kind as RequestKind] // It is one of them.
        : "everything";
      return rule !== "everything" && within(rule, data, { prefix: scope.prefix, data });
    }
  }
}

/** Whether a stream of `group` may be opened. */
export function permitsGroup(scope: Scope, group: string): boolean {
  return scope.kind === "prefix" ? opens(scope.prefix, group) : scope.kind === "everything";
}

interface Asked {
  readonly prefix: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function within(rule: Rule, given: unknown, asked: Asked): boolean {
  if (typeof rule === "string") return isOwn(rule, given, asked);
  if (isList(rule)) {
    return !Array.isArray(given) || given.every((one) => within(rule[0], one, asked));
  }
  if (!isObject(given)) return true;
  return Object.entries(rule).every(([field, inner]) => within(inner, given[field], asked));
}

function isOwn(leaf: Leaf, given: unknown, { prefix, data }: Asked): boolean {
  switch (leaf) {
    case "free":
      return true;
    case "id":
      return typeof given !== "string" || opens(prefix, given);
    case "group":
      return typeof given !== "string" || opens(prefix, given);
    case "template":
      return typeof given !== "string" || opens(prefix, expanded(given, data["id"]));
    case "address":
      return typeof given !== "string" || isOwnAddress(given, prefix);
    case "tags":
      return !isObject(given) || hasOwnTags(given, prefix);
  }
}

function expanded(template: string, id: unknown): string {
  return scheduledId(template, {
    id: typeof id === "string" ? id : UNKNOWN,
    occurrence: UNKNOWN,
  });
}

/** Groups belong to somebody as ids do; what other addresses lead to is not ours to say. */
function isOwnAddress(text: string, prefix: string): boolean {
  const address = parseAddress(text);
  return address?.kind !== "poll" || opens(prefix, address.group);
}

function hasOwnTags(tags: Readonly<Record<string, unknown>>, prefix: string): boolean {
  const own = LINEAGE.every((name) => {
    const named = tags[name];
    return typeof named !== "string" || opens(prefix, named);
  });
  const target = tags[TAG.target];
  // Some SDKs give every sleep the target `default`. Tasks of timers are never offered.
  const isOffered =
    typeof target === "string" && !isTimer({ [TAG.timer]: String(tags[TAG.timer]) });
  return own && (!isOffered || isOwnAddress(target, prefix));
}

function isList(rule: Rule): rule is readonly [Rule] {
  return Array.isArray(rule);
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}
