/** The marks by which every Resonate SDK writes in JSON what JSON does not have: infinities and errors. */

const INFINITY = "__INF__";
const NEGATIVE_INFINITY = "__NEG_INF__";

/** `__type` of an error and of an `AggregateError`. */
export const ERROR = "error";
export const AGGREGATE_ERROR = "aggregate_error";

/** Whether a reader would take this string for a number. */
export function isMarkerString(text: string): boolean {
  return text === INFINITY || text === NEGATIVE_INFINITY;
}

/** Whether a reader would take an object with this `__type` for an error. */
export function isMarkerType(type: unknown): boolean {
  return type === ERROR || type === AGGREGATE_ERROR;
}

/** The mark of a number that JSON does not have; others stay as they are. */
export function markNumber(value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return INFINITY;
  return value === Number.NEGATIVE_INFINITY ? NEGATIVE_INFINITY : value;
}

/** The number that a mark stands for; other values stay as they are. */
export function unmarkNumber(value: unknown): unknown {
  if (value === INFINITY) return Number.POSITIVE_INFINITY;
  return value === NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : value;
}

/** Whether JSON text may hold a mark at all; most does not, and is then read without looking for them. */
export function mayHoldMarks(json: string): boolean {
  return json.includes("__");
}
