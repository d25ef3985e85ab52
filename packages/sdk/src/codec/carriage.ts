/** What it takes to carry a value: the one walk that every encoded value goes through, so it has to be fast. */
import { isMarkerString, isMarkerType } from "./markers.ts";

/**
 * `plain`: JSON as it is. `marked`: JSON with the official markers for errors and infinities.
 * `rich`: more than that, or nothing that can be carried at all (the rich encoder then says what and where).
 */
export type Carriage = typeof PLAIN | typeof MARKED | typeof RICH;
export const PLAIN = 0;
export const MARKED = 1;
export const RICH = 2;

/** Deeper values are rich: JSON would not end on a cycle, and this is how a cycle is noticed without bookkeeping. */
const DEPTH_MAX = 1_000;

/** Values with more parts are rich: there, parts that occur again and again are written once. */
const PARTS_MAX = 1_000_000;

/** What a value of these kinds is would be lost in JSON. */
const RICH_TAGS = new Set(
  [
    "Date Map Set RegExp URL URLSearchParams ArrayBuffer DataView Number String Boolean BigInt",
    "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array",
    "Float16Array Float32Array Float64Array BigInt64Array BigUint64Array",
    "Temporal.Duration Temporal.Instant Temporal.PlainDate Temporal.PlainTime Temporal.PlainDateTime",
    "Temporal.PlainMonthDay Temporal.PlainYearMonth Temporal.ZonedDateTime",
  ].flatMap((line) => line.split(" ")),
);

/** Judges one value; `fieldsOf` tells what an error is written as. */
export class Judge {
  readonly #fieldsOf: (error: Error) => Readonly<Record<string, unknown>>;
  #parts = 0;

  constructor(fieldsOf: (error: Error) => Readonly<Record<string, unknown>>) {
    this.#fieldsOf = fieldsOf;
  }

  judge(value: unknown, depth = 0): Carriage {
    switch (typeof value) {
      case "string":
        return isMarkerString(value) ? RICH : PLAIN;
      case "number":
        return numberCarriage(value);
      case "boolean":
        return PLAIN;
      case "object":
        return value === null ? PLAIN : this.#object(value, depth + 1);
      default:
        return RICH;
    }
  }

  #object(value: object, depth: number): Carriage {
    if (depth > DEPTH_MAX || ++this.#parts > PARTS_MAX) return RICH;
    if (Array.isArray(value)) return this.#list(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#members(value, depth);
    if (isError(value)) return this.#error(value, depth);
    if (RICH_TAGS.has(tagOf(value))) return RICH;
    if (hasToJson(value)) return this.judge(value.toJSON(""), depth);
    return isRecord(value) ? this.#members(value, depth) : RICH;
  }

  #list(list: readonly unknown[], depth: number): Carriage {
    let carriage: Carriage = PLAIN;
    for (let i = 0; i < list.length && carriage !== RICH; i++) {
      carriage = most(carriage, this.judge(list[i], depth));
    }
    return carriage;
  }

  /** Members that are `undefined` count as absent, as JSON has it. */
  #members(value: object, depth: number): Carriage {
    // Any object can be read by the names of its own keys.
    const record = value as Readonly<Record<string, unknown>>;
    let carriage: Carriage = PLAIN;
    for (const key of Object.keys(record)) {
      const member = record[key];
      if (member === undefined) continue;
      if (key === "__type" && isMarkerType(member)) return RICH;
      if (key === "toJSON" && hasToJson(value)) return this.judge(value.toJSON(""), depth);
      carriage = most(carriage, this.judge(member, depth));
      if (carriage === RICH) break;
    }
    return carriage;
  }

  #error(error: Error, depth: number): Carriage {
    const { __type, ...fields } = this.#fieldsOf(error);
    return most(MARKED, this.#members(fields, depth));
  }
}

/** Whether `value` is an error, of this or another realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || (typeof value === "object" && tagOf(value) === "Error");
}

/** Whether `value` says itself what it is in JSON. Dates and the like are carried as what they are instead. */
export function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function" && !RICH_TAGS.has(tagOf(value));
}

/**
 * Whether `value` is what its own fields are. An instance of a class travels as its fields, as in JSON; one
 * without any (a promise, a `Headers`, a `WeakMap`) would come out as something else than it is.
 */
export function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // An `Object.prototype` of another realm has no prototype itself.
  return Object.getPrototypeOf(prototype) === null || Object.keys(value).length > 0;
}

function numberCarriage(value: number): Carriage {
  if (Number.isFinite(value)) return Object.is(value, -0) ? RICH : PLAIN;
  return Number.isNaN(value) ? RICH : MARKED;
}

function most(a: Carriage, b: Carriage): Carriage {
  return a > b ? a : b;
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
