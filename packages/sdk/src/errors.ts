/** The errors of this package that programs handle, and how to recognise them. */

/** On the prototype of every error of every copy of this package, whatever `instanceof` says. */
const MARK = Symbol.for("resonate.error");

/**
 * An error of Resonate itself, not of a program's own functions. Recognise it by `isResonateError`, and
 * tell one from another by `code`, which never changes once published:
 *
 * | code | what went wrong |
 * |---|---|
 * | `FUNCTION_NOT_REGISTERED`, `VERSION_NOT_REGISTERED` | nothing of that name, or of that version, was registered here |
 * | `ALREADY_REGISTERED`, `NAME_REQUIRED`, `VERSION_INVALID` | a registration that cannot stand |
 * | `ID_INVALID`, `ARGUMENT_INVALID` | a call that cannot be made as it was asked for |
 * | `INPUT_INVALID` | a call with arguments that its function does not accept |
 * | `VALUE_NOT_ENCODABLE`, `VALUE_NOT_DECODABLE`, `VALUE_TOO_LARGE` | a value that cannot travel |
 * | `ENCRYPTOR_FAILED` | the encryptor that the program brought could not encrypt or decrypt a value |
 * | `ID_CONFLICT` | a promise of that id is under way for another caller |
 * | `PROMISE_CANCELED`, `PROMISE_TIMED_OUT` | what was awaited ended without an outcome of its own |
 * | `AWAIT_CYCLE` | what was awaited waited, in the end, for whoever awaited it |
 * | `NON_DETERMINISM` | a workflow did something else than what it did before |
 * | `PANIC` | a program gave up by `ctx.panic` or `ctx.assert` |
 * | `LEASE_LOST`, `STOPPED` | this process no longer works on it |
 * | `SERVER_UNREACHABLE`, `SERVER_REFUSED` | no answer, or a refusal |
 * | `SERVER_INCONSISTENT` | answers of the server that contradict each other |
 * | `STORE_IN_USE`, `STORE_UNUSABLE` | the file of an embedded client is open in another process, or is no file of ours |
 */
export class ResonateError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get [MARK](): true {
    return true;
  }

  static {
    ResonateError.prototype.name = "ResonateError";
  }
}

/** What was awaited has been canceled. Thrown where it was awaited. */
export class PromiseCanceledError extends ResonateError {
  readonly kind = "RejectedCanceled";
  readonly promiseId: string;

  constructor({ promiseId }: { readonly promiseId: string }) {
    super("PROMISE_CANCELED", `Promise '${promiseId}' was canceled before it had an outcome.`);
    this.promiseId = promiseId;
  }

  static {
    PromiseCanceledError.prototype.name = "PromiseCanceledError";
  }
}

/** What was awaited reached its deadline first. Thrown where it was awaited. */
export class PromiseTimedoutError extends ResonateError {
  readonly kind = "RejectedTimedout";
  readonly promiseId: string;
  /** The deadline, in ms since the epoch, where it is known. */
  readonly timeoutAt?: number;

  constructor({
    promiseId,
    timeoutAt,
  }: { readonly promiseId: string; readonly timeoutAt?: number | undefined }) {
    const at = timeoutAt === undefined ? "" : ` at ${instant(timeoutAt)}`;
    super(
      "PROMISE_TIMED_OUT",
      `Promise '${promiseId}' reached its deadline${at} before it had an outcome. Give it more time with the option 'timeout'.`,
    );
    this.promiseId = promiseId;
    if (timeoutAt !== undefined) this.timeoutAt = timeoutAt;
  }

  static {
    PromiseTimedoutError.prototype.name = "PromiseTimedoutError";
  }
}

/**
 * What was awaited was rejected by the server, because it waited for itself: it awaited a run that awaited another one, and
 * so on, back to it, and none of them waited for anything else. Thrown where it was awaited; the function itself is not
 * told. Let one of `cycle` not await the next one: that is what ids that are given by hand allow, and others do not.
 */
export class AwaitCycleError extends ResonateError {
  /** The promise that was rejected: the youngest of them. */
  readonly promiseId: string;
  /** Each awaits the next one, from `promiseId` on; the last awaits the first. At most 16 are named. */
  readonly cycle: readonly string[];

  /** `message`: as the server says it, which knows how many there are. */
  constructor({
    promiseId,
    cycle,
    message,
  }: {
    readonly promiseId: string;
    readonly cycle: readonly string[];
    readonly message: string;
  }) {
    super("AWAIT_CYCLE", message);
    this.promiseId = promiseId;
    this.cycle = cycle;
  }

  static {
    AwaitCycleError.prototype.name = "AwaitCycleError";
  }
}

/** A call was made with arguments that its function does not accept; it has not run. */
export class InputInvalidError extends ResonateError {
  readonly func: string;
  /** What is wrong, and where: a path such as `args[0].address.city`. */
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor({ func, issues }: Pick<InputInvalidError, "func" | "issues">) {
    const wrong = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
    super("INPUT_INVALID", `'${func}' does not accept its arguments: ${wrong}`);
    this.func = func;
    this.issues = issues;
  }

  static {
    InputInvalidError.prototype.name = "InputInvalidError";
  }
}

/** A workflow, run again, asked for something else than what its record says it did at this place. */
export class NonDeterminismError extends ResonateError {
  readonly promiseId: string;
  /** What the record says, in words. */
  readonly recorded: string;
  /** What the code asks for now, in words. */
  readonly asked: string;

  constructor(step: {
    readonly promiseId: string;
    readonly recorded: string;
    readonly asked: string;
  }) {
    const { promiseId, recorded, asked } = step;
    super(
      "NON_DETERMINISM",
      `'${promiseId}' is recorded as ${recorded}, but the code now asks for ${asked}. A workflow must start the same things in the same order each time it runs: register changed code as a new version, and take time, randomness and I/O through ctx.`,
    );
    this.promiseId = promiseId;
    this.recorded = recorded;
    this.asked = asked;
  }

  static {
    NonDeterminismError.prototype.name = "NonDeterminismError";
  }
}

/** No usable answer came from the server, however often it was asked. The request may or may not have been applied. */
export class ServerUnreachableError extends ResonateError {
  readonly url: string;

  constructor({ url, cause }: { readonly url: string; readonly cause: unknown }) {
    super(
      "SERVER_UNREACHABLE",
      `No answer from the Resonate server at ${url}: ${reasonOf(cause)}. Check that it runs and that the address is right.`,
      { cause },
    );
    this.url = url;
  }

  static {
    ServerUnreachableError.prototype.name = "ServerUnreachableError";
  }
}

/** The server understood a request and refused it; sending it again changes nothing. */
export class ServerRefusedError extends ResonateError {
  /** As in the protocol: 400, 401, 403, 404, 409, 422, … */
  readonly status: number;
  /** The kind of request, such as `promise.create`. */
  readonly requestKind: string;

  constructor(refusal: {
    readonly status: number;
    readonly requestKind: string;
    /** What the server said. */
    readonly message: string;
  }) {
    const { status, requestKind, message } = refusal;
    super("SERVER_REFUSED", `The server refused ${requestKind} with ${status}: ${message}`);
    this.status = status;
    this.requestKind = requestKind;
  }

  static {
    ServerRefusedError.prototype.name = "ServerRefusedError";
  }
}

/** This process no longer holds what it was working on; another process goes on with it. */
export class LeaseLostError extends ResonateError {
  readonly promiseId: string;

  constructor({ promiseId, cause }: { readonly promiseId: string; readonly cause?: unknown }) {
    super(
      "LEASE_LOST",
      `This process no longer holds the task '${promiseId}'. It is offered to others; nothing that was recorded is lost.`,
      cause === undefined ? undefined : { cause },
    );
    this.promiseId = promiseId;
  }

  static {
    LeaseLostError.prototype.name = "LeaseLostError";
  }
}

/** Whether `error` is one of Resonate's own, from any copy of this package; with `code`, whether it is that one. */
export function isResonateError(error: unknown, code?: string): error is ResonateError {
  if (typeof error !== "object" || error === null || !(MARK in error)) return false;
  return code === undefined || ("code" in error && error.code === code);
}

/** What went wrong, in a few words, for the messages of others. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Failing to connect to every address of a host has no message of its own, only a code.
  return error.message || ("code" in error && String(error.code)) || error.name;
}

/** An instant for people; one that no date can name stays a number. */
function instant(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
