/** How records read to a program. Sync, unless decryption takes time. */
import { isDeepStrictEqual } from "node:util";
import type { PromiseRecord, Value } from "@resonate-ts/protocol";
import type { Codec } from "../codec/codec.ts";
import { createCodec } from "../codec/json-codec.ts";
import { AwaitCycleError, PromiseCanceledError, PromiseTimedoutError } from "../errors.ts";
import type { Settled } from "../future.ts";
import type { Recorded, RecordedParam } from "./journal.ts";

/** Names, in the headers of a value, an error that the server wrote: no encryptor has seen it. */
const SERVER_ERROR = "resonate:error";
const plain = createCodec();

/** How a promise ended; `undefined` while it is pending. @throws ResonateError `VALUE_NOT_DECODABLE`. */
export function outcomeOf(
  promise: PromiseRecord,
  codec: Codec,
): Settled | undefined | Promise<Settled> {
  const { id: promiseId, timeoutAt } = promise;
  switch (promise.state) {
    case "pending":
      return undefined;
    case "resolved":
      return after(codec.decode(promise.value), (value) => ({ kind: "resolved", value }));
    case "rejected":
      if (promise.value.headers?.[SERVER_ERROR] !== undefined) return serverError(promise);
      return after(codec.decode(promise.value), (error) => ({ kind: "rejected", error }));
    case "rejected_canceled":
      return { kind: "rejected", error: new PromiseCanceledError({ promiseId }) };
    case "rejected_timedout":
      return { kind: "rejected", error: new PromiseTimedoutError({ promiseId, timeoutAt }) };
  }
}

/** An error that the server wrote; one that this version does not know is read like any other. */
function serverError({ value }: PromiseRecord): Settled {
  const error = plain.decode(value);
  return { kind: "rejected", error: isAwaitCycle(error) ? new AwaitCycleError(error) : error };
}

function isAwaitCycle(
  error: unknown,
): error is Pick<AwaitCycleError, "promiseId" | "cycle" | "message"> {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "AWAIT_CYCLE") return false;
  return (
    "promiseId" in error &&
    typeof error.promiseId === "string" &&
    "cycle" in error &&
    Array.isArray(error.cycle) &&
    error.cycle.every((id) => typeof id === "string")
  );
}

/** A record for the core. `asked` is the param that was sent to create it, if it was. @throws as `outcomeOf`. */
export function readRecord(
  promise: PromiseRecord,
  codec: Codec,
  asked?: Value,
): Recorded | Promise<Recorded> {
  const { id, tags, timeoutAt } = promise;
  return after(outcomeOf(promise, codec), (outcome) =>
    after(readParam(promise.param, codec, asked), (param) => {
      return { id, tags, timeoutAt, outcome, param };
    }),
  );
}

function readParam(
  stored: Value,
  codec: Codec,
  asked: Value | undefined,
): RecordedParam | undefined | Promise<RecordedParam> {
  if (!asked) return after(codec.decode(stored), (value) => ({ value, differing: [] }));
  if (asked.data === stored.data) return undefined;
  return after(codec.decode(stored), (value) =>
    after(codec.decode(asked), (wanted) => ({ value, differing: differing(value, wanted) })),
  );
}

function differing(one: unknown, other: unknown): readonly string[] {
  if (!isObject(one) || !isObject(other)) return [];
  const names = Object.keys({ ...one, ...other });
  return names.filter((name) => !isDeepStrictEqual(one[name], other[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function after<A, B>(given: A | Promise<A>, then: (given: A) => B | Promise<B>): B | Promise<B> {
  return given instanceof Promise ? given.then(then) : then(given);
}
