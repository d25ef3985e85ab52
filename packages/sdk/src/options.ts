/** What a caller can say about one call, and how it is told from the call's arguments. */
import { rootIdProblem } from "@resonate-ts/protocol";
import { ResonateError } from "./errors.ts";
import type { RetryPolicy } from "./retry.ts";

/** On the prototype of the options of every copy of this package. */
const MARK = Symbol.for("resonate.options");

/** Longest `timeout`, in ms: about 270,000 years, so that a deadline stays a whole number that JSON carries. */
const TIMEOUT_MAX = 8_640_000_000_000_000;

/** A class of errors, such as `TypeError`. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** What can be said about one call. Everything is optional. */
export interface OptionFields {
  /** Names the promise. The same id is the same work, in the whole system and for ever. */
  readonly id?: string;
  /** Who runs it: the name of a group, or an address such as `poll://any@GROUP`. */
  readonly target?: string;
  /** Time from now to its deadline, in ms, above 0; fractions are rounded up. Default 24 hours. */
  readonly timeout?: number;
  /** Tags of the promise, added to those the system writes. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Version of the function; 0 (the default) is the latest. */
  readonly version?: number;
  /**
   * What to do when the id names other work already: another function, other arguments (where they are on record: those
   * of calls that others may run), or another version, if one is asked for. `join` (the default) takes its outcome for
   * this call's; `error` throws `ID_CONFLICT` where the call is awaited.
   */
  readonly onConflict?: "join" | "error";
  /** When it is tried again after it failed. */
  readonly retryPolicy?: RetryPolicy;
  /** Errors of these classes are not tried again, whatever the policy says. Only for functions run here. */
  readonly nonRetryableErrors?: readonly ErrorClass[];
}

/** `OptionFields` as callers may write them: a field that is `undefined` counts as absent. */
export type OptionInput = { readonly [K in keyof OptionFields]?: OptionFields[K] | undefined };

/** Options of one call, made by `ctx.options` or `resonate.options`. A plain object is always an argument. */
export class Options {
  /** Only what was given, checked. */
  readonly fields: OptionFields;

  /** @throws ResonateError `ARGUMENT_INVALID`, or `ID_INVALID` or `VERSION_INVALID`, naming the field. */
  constructor(input: OptionInput = {}) {
    this.fields = Object.freeze(checked(input));
  }

  get [MARK](): true {
    return true;
  }
}

/** Whether `value` was made by `options(…)`, of any copy of this package. */
export function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null && MARK in value;
}

/** Takes options off the end of the arguments of a call. */
export function splitOptions(args: readonly unknown[]): {
  readonly args: readonly unknown[];
  readonly options: OptionFields;
} {
  const last = args.at(-1);
  return isOptions(last)
    ? { args: args.slice(0, -1), options: last.fields }
    : { args, options: NONE };
}

const NONE: OptionFields = Object.freeze({});

/** One check per field: says what is wrong, or nothing. */
const problems: {
  readonly [K in keyof Required<OptionFields>]: (given: unknown) => string | undefined;
} = {
  id: (given) => (typeof given === "string" ? rootIdProblem(given) : "must be a string"),
  target: (given) =>
    typeof given === "string" && given ? undefined : "must be a non-empty string",
  timeout: (given) =>
    typeof given === "number" && Number.isFinite(given) && given > 0
      ? undefined
      : "must be a number of milliseconds above 0",
  tags: tagsProblem,
  version: (given) =>
    Number.isSafeInteger(given) && Number(given) >= 0
      ? undefined
      : "must be a whole number of at least 1, or 0 for the latest",
  onConflict: (given) =>
    given === "join" || given === "error" ? undefined : "must be 'join' or 'error'",
  retryPolicy: (given) =>
    isRetryPolicy(given) ? undefined : "must be a retry policy, such as new Exponential()",
  nonRetryableErrors: (given) =>
    Array.isArray(given) && given.every(isClass) ? undefined : "must be an array of error classes",
};

function checked(input: OptionInput): OptionFields {
  const given = Object.entries(input).filter(([, field]) => field !== undefined);
  for (const [name, field] of given) {
    if (!isFieldName(name)) {
      const known = Object.keys(problems).join(", ");
      throw new ResonateError(
        "ARGUMENT_INVALID",
        `There is no option '${name}'; there are: ${known}.`,
      );
    }
    const problem = problems[name](field);
    if (problem)
      throw new ResonateError(codeOf(name), `Option '${name}': ${problem}, got ${shown(field)}.`);
  }
  // Each entry was checked just above.
  const fields = Object.fromEntries(given) as OptionFields;
  if (fields.timeout === undefined) return fields;
  return { ...fields, timeout: Math.min(Math.ceil(fields.timeout), TIMEOUT_MAX) };
}

function isFieldName(name: string): name is keyof OptionFields {
  return Object.hasOwn(problems, name);
}

function codeOf(name: keyof OptionFields): string {
  if (name === "id") return "ID_INVALID";
  return name === "version" ? "VERSION_INVALID" : "ARGUMENT_INVALID";
}

function tagsProblem(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return "must be an object of strings";
  const wrong = Object.entries(given).find(([, tag]) => typeof tag !== "string");
  return wrong && `must be an object of strings ('${wrong[0]}' is not one)`;
}

/** Whether `instanceof` takes it: arrow functions have no prototype. */
function isClass(given: unknown): boolean {
  return typeof given === "function" && typeof given.prototype === "object";
}

function isRetryPolicy(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  if (!("next" in given) || !("encode" in given)) return false;
  return typeof given.next === "function" && typeof given.encode === "function";
}

function shown(field: unknown): string {
  return typeof field === "string" ? `'${field}'` : String(field);
}
