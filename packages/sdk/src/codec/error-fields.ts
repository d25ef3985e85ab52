/**
 * Errors as data: `{__type, message, stack, name}` as every Resonate SDK reads them, then `cause` and the
 * error's own fields (`code`, `errno`, …) as keys that other readers ignore.
 *
 * I1: an error can always be written. Fields that cannot travel (functions, sockets) are left out.
 */
import { AGGREGATE_ERROR, ERROR, isMarkerType } from "./markers.ts";

/** Longest message and stack of an error that had to be cut, in characters. */
const BARE_LENGTH_MAX = 32_768;

type Fields = Record<string, unknown>;

/** What the errors of one value are written as. */
export class ErrorFields {
  readonly #known = new Map<Error, Fields>();
  readonly #travels: (value: unknown) => boolean;

  /** `travels` tells whether a field can be written at all. */
  constructor(travels: (value: unknown) => boolean) {
    this.#travels = travels;
  }

  of(error: Error): Readonly<Fields> {
    const known = this.#known.get(error);
    if (known) return known;
    const fields = base(error);
    // Known before its fields are looked at: an error may be among its own causes.
    this.#known.set(error, fields);
    for (const key of extraKeys(error)) {
      const field = ownField(error, key);
      if (field !== undefined && this.#travels(field)) fields[key] = field;
    }
    return fields;
  }
}

/** The error without its fields, cut to a length that always fits. */
export function bareError(error: Error): Error {
  const { message, stack, name } = base(error);
  return reviveError({ message: cut(message), stack: cut(stack), name: cut(name) });
}

/** Whether data read from the wire describes an error. */
export function isErrorFields(value: unknown): value is Readonly<Fields> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return "__type" in value && isMarkerType(value.__type);
}

/** The error that `fields` describe: a plain `Error` (or `AggregateError`) with its name, stack, cause and own fields. */
export function reviveError(fields: Readonly<Fields>): Error {
  const { __type, message, stack, name, cause, ...own } = fields;
  const error = emptyError(__type, message, own);
  if (typeof name === "string" && name !== error.name) define(error, "name", name, false);
  if (typeof stack === "string") define(error, "stack", stack, false);
  if (cause !== undefined) define(error, "cause", cause, false);
  for (const [key, field] of Object.entries(own)) {
    if (key !== "__proto__" && !(key === "errors" && error instanceof AggregateError)) {
      define(error, key, field, true);
    }
  }
  return error;
}

function emptyError(type: unknown, message: unknown, { errors }: Readonly<Fields>): Error {
  const text = typeof message === "string" ? message : String(message ?? "");
  if (type !== AGGREGATE_ERROR) return new Error(text);
  return new AggregateError(Array.isArray(errors) ? errors : [], text);
}

/** In the order in which the official SDK writes them. */
function base(error: Error): Fields {
  const { message, stack, name } = error;
  return {
    __type: error instanceof AggregateError ? AGGREGATE_ERROR : ERROR,
    message: typeof message === "string" ? message : String(message),
    stack: typeof stack === "string" ? stack : undefined,
    name: typeof name === "string" ? name : "Error",
  };
}

function extraKeys(error: Error): string[] {
  const hidden = error instanceof AggregateError ? ["errors", "cause"] : ["cause"];
  const keys = [...hidden.filter((key) => Object.hasOwn(error, key)), ...Object.keys(error)];
  return [...new Set(keys)].filter((key) => !RESERVED.has(key));
}

const RESERVED = new Set(["__type", "__proto__", "message", "stack", "name"]);

/** A field that throws when it is read counts as absent (I1). */
function ownField(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}

function cut(text: unknown): unknown {
  return typeof text === "string" ? text.slice(0, BARE_LENGTH_MAX) : text;
}
