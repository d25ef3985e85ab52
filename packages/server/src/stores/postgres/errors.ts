/** What PostgreSQL's error codes mean for us (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
import { CommitUnknownError, StoreUnavailableError, StoreUnusableError } from "../store.ts";

/** Another writer came first: what was decided was decided on what is no longer there. Nothing was written. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const LOCK_NOT_AVAILABLE = "55P03";
const DISK_FULL = "53100";
const TOO_MANY_CONNECTIONS = "53300";
const CANNOT_CONNECT_NOW = "57P03";
const READ_ONLY_TRANSACTION = "25006";

/** Classes whose errors say that the connection, or the server behind it, is gone. */
const CONNECTION_GONE = ["08", "57P01", "57P02", "57P05", "25P03"];

/** Whether the transaction met another one, so that running it again may succeed at once. */
export function isCollision(error: unknown): boolean {
  if (error instanceof Overtaken) return true;
  const code = codeOf(error);
  return (
    code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED || code === LOCK_NOT_AVAILABLE
  );
}

/** Whether the database could not be reached, or cannot serve now: a new connection may do later. */
export function isUnreachable(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof Overtaken) return false;
  if (error instanceof CommitUnknownError) return false;
  const code = codeOf(error);
  // What has no code of PostgreSQL's did not come from it: the connection itself failed.
  if (code === undefined) return isOfConnection(error);
  return (
    CONNECTION_GONE.some((prefix) => code.startsWith(prefix)) ||
    code === CANNOT_CONNECT_NOW ||
    code === TOO_MANY_CONNECTIONS ||
    // A standby that is about to be promoted.
    code === READ_ONLY_TRANSACTION
  );
}

/** An error that is left when trying again has not helped, in words that say what to do. */
export function lastingError(error: unknown): unknown {
  if (codeOf(error) === DISK_FULL) {
    return new StoreUnavailableError(
      "the database's disk is full; free some space there, and it goes on by itself",
      { cause: error },
    );
  }
  if (isCollision(error)) {
    return new StoreUnavailableError(
      "the transaction met others again and again and was given up; it may be tried again",
      { cause: error },
    );
  }
  if (isUnreachable(error)) {
    return new StoreUnavailableError(
      "the database cannot be reached; it goes on by itself when it is back",
      { cause: error },
    );
  }
  return error;
}

/** An error of opening the store, in words that say what to do. */
export function openingError(error: unknown, where: string): unknown {
  const code = codeOf(error);
  if (code === undefined && !isUnreachable(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  // So pgbouncer answers whoever asks for a session of its own.
  const todo = message.includes("startup parameter")
    ? "If a pooler is there, set storage.postgres.pooler"
    : "Check storage.postgres.url, and that the user may create the schema 'resonate' there";
  return new StoreUnusableError(
    `the PostgreSQL database at ${where} cannot be used: ${message}. ${todo}`,
    { cause: error },
  );
}

/** The five characters of an error that PostgreSQL sent. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

function isOfConnection(error: Error): boolean {
  return "errno" in error || /connection|timeout/i.test(error.message);
}
