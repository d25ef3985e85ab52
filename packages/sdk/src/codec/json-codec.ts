/**
 * Values ↔ payloads.
 *
 * I1: what plain JSON carries is, byte for byte, the encoding of every Resonate SDK, so that programs in
 * other languages read it. I2: everything else is written by `devalue` and says so in a header. I3: the
 * official marks are honoured only where that header is absent, and a value of a program that looks like one
 * is written with the header: no value turns into another.
 */
import type { Value } from "@resonate-ts/protocol";
import { isResonateError, ResonateError } from "../errors.ts";
import { isError, Judge, MARKED, PLAIN, RICH } from "./carriage.ts";
import type { Codec } from "./codec.ts";
import { bareError, ErrorFields, isErrorFields, reviveError } from "./error-fields.ts";
import { markNumber, mayHoldMarks, unmarkNumber } from "./markers.ts";
import { parseRich, stringifyRich } from "./rich.ts";

/** The header that names the encoding of `data`, where it is not the official one. */
const ENCODING_HEADER = "resonate:encoding";
const RICH_ENCODING = "devalue";

/**
 * Changes payloads on their way out and back, after encoding and before decoding. Ids and tags are not covered.
 *
 * What it throws is taken as a key that cannot be had now (`ENCRYPTOR_FAILED`): work that needs it is tried again, for as
 * long as it takes, as if the server was away. A step whose outcome could not be encrypted then runs again.
 */
export interface Encryptor {
  encrypt(value: Value): Value | Promise<Value>;
  decrypt(value: Value): Value | Promise<Value>;
}

export interface CodecOptions {
  /** Default none: payloads are readable by whoever can read the server's records. */
  readonly encryptor?: Encryptor | undefined;
  /** Largest encoded `data`, in bytes, before encryption. Default 1 MiB, half of what a server takes in one request. */
  readonly bytesMax?: number | undefined;
}

/**
 * A codec for everything that has a value of its own: JSON, `undefined`, `bigint`, `Date`, `Map`, `Set`,
 * `RegExp`, `URL`, typed arrays, `NaN`, `-0`, infinities, errors with their cause and fields, cycles.
 *
 * As in JSON, members that are `undefined` are absent, symbol keys are left out, an object with `toJSON` is what
 * that gives, an instance of a class is its fields, and parts that occur twice are two equal parts (unless
 * something else in the value needs more than JSON). An `undefined` in an array stays `undefined`. Functions,
 * symbols, and instances that have no fields are refused, except in the fields of an error, where they are left out.
 */
export function createCodec({ encryptor, bytesMax = 1_048_576 }: CodecOptions = {}): Codec {
  const encode = (value: unknown, id?: string) => encodeValue(value, { bytesMax, id });
  if (!encryptor) return { encode, decode: decodeValue };
  return {
    encode: (value, id) => guarded(() => encryptor.encrypt(encode(value, id)), notEncrypted),
    decode: (value) =>
      // What the server wrote itself (a deadline's verdict) was never encrypted.
      value.data
        ? guarded(() => after(encryptor.decrypt(value), decodeValue), notDecrypted)
        : undefined,
  };
}

/** The largest size of what is encoded, and the promise that it is for. */
interface Limit {
  readonly bytesMax: number;
  readonly id?: string | undefined;
}

function encodeValue(value: unknown, limit: Limit): Value {
  if (value === undefined) return { headers: {}, data: "" };
  try {
    return encodeWhole(value, limit);
  } catch (error) {
    // A failed step must be recorded as failed, however much its error drags along.
    if (isError(value)) return encodeWhole(bareError(value), UNLIMITED);
    throw isResonateError(error) ? error : notEncodable(error, limit.id);
  }
}

const UNLIMITED: Limit = { bytesMax: Number.POSITIVE_INFINITY };

function encodeWhole(value: unknown, limit: Limit): Value {
  const errors = new ErrorFields((field) => travels(field, fieldsOf));
  const fieldsOf = (error: Error) => errors.of(error);
  const carriage = new Judge(fieldsOf).judge(value);
  switch (carriage) {
    case PLAIN:
      return toValue(JSON.stringify(value), {}, limit);
    case MARKED:
      return toValue(JSON.stringify(value, marker(fieldsOf)), {}, limit);
    case RICH:
      return toValue(stringifyRich(value, fieldsOf), { [ENCODING_HEADER]: RICH_ENCODING }, limit);
  }
}

type FieldsOf = (error: Error) => Readonly<Record<string, unknown>>;

function travels(field: unknown, fieldsOf: FieldsOf): boolean {
  try {
    if (new Judge(fieldsOf).judge(field) === RICH) stringifyRich(field, fieldsOf);
    return true;
  } catch {
    return false;
  }
}

function marker(fieldsOf: FieldsOf) {
  return function (this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
    // An error is an error even when it has a `toJSON`, which has been called by now.
    const original = this[key];
    if (isError(original)) return fieldsOf(original);
    return isError(value) ? fieldsOf(value) : markNumber(value);
  };
}

function toValue(text: string, headers: Readonly<Record<string, string>>, limit: Limit): Value {
  const data = Buffer.from(text, "utf8").toString("base64");
  if (data.length <= limit.bytesMax) return { headers, data };
  throw new ResonateError(
    "VALUE_TOO_LARGE",
    `A value${forPromise(limit.id)} has ${data.length} bytes (encoded), over the limit of ${limit.bytesMax}. Keep large data elsewhere and pass a reference to it, or raise 'valueBytesMax' of new Resonate (and the server's limit of a body).`,
  );
}

function decodeValue({ headers, data }: Value): unknown {
  if (!data) return undefined;
  const encoding = headers?.[ENCODING_HEADER];
  if (encoding !== undefined && encoding !== RICH_ENCODING) {
    throw notDecodable(`its encoding is '${encoding}', which this version does not know`);
  }
  try {
    const text = Buffer.from(data, "base64").toString("utf8");
    if (encoding === RICH_ENCODING) return parseRich(text);
    return mayHoldMarks(text) ? JSON.parse(text, unmark) : JSON.parse(text);
  } catch (error) {
    throw notDecodable(messageOf(error), error);
  }
}

function unmark(_key: string, value: unknown): unknown {
  return isErrorFields(value) ? reviveError(value) : unmarkNumber(value);
}

function forPromise(id: string | undefined): string {
  return id === undefined ? "" : ` for '${id}'`;
}

function notEncodable(cause: unknown, id: string | undefined): ResonateError {
  const path = cause instanceof Error && "path" in cause ? String(cause.path) : "";
  const where = path ? `what is at '${path}' in it` : "the value itself";
  return new ResonateError(
    "VALUE_NOT_ENCODABLE",
    `A value${forPromise(id)} cannot be stored: ${where} is not data (${messageOf(cause)}). Pass plain data, or give the object a toJSON method.`,
    { cause },
  );
}

function notDecodable(reason: string, cause?: unknown): ResonateError {
  return new ResonateError("VALUE_NOT_DECODABLE", `A stored value cannot be read: ${reason}.`, {
    cause,
  });
}

function notEncrypted(cause: unknown): ResonateError {
  const message = `A value could not be encrypted: ${messageOf(cause)}.`;
  return new ResonateError("ENCRYPTOR_FAILED", message, { cause });
}

function notDecrypted(cause: unknown): ResonateError {
  const message = `A stored value could not be decrypted: ${messageOf(cause)}.`;
  return new ResonateError("ENCRYPTOR_FAILED", message, { cause });
}

/** Runs `work`, sync or async; what it throws becomes a ResonateError, if it is not one. */
function guarded<T>(work: () => T | Promise<T>, named: (error: unknown) => Error): T | Promise<T> {
  const fail = (error: unknown): never => {
    throw isResonateError(error) ? error : named(error);
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}

function after<T, U>(value: T | Promise<T>, then: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(then) : then(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
