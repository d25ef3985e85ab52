/** What SQLite's result codes mean for us (https://sqlite.org/rescode.html; the low byte is the primary code). */
import {
  StoreDamagedError,
  StoreUnavailableError,
  StoreUnknownError,
  StoreUnusableError,
} from "../store.ts";

const SQLITE_PERM = 3;
export const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** The primary result code, where `error` is SQLite's. */
export function errorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

/** The error of opening a file, in words that say what to do. */
export function openingError(error: unknown, path: string): unknown {
  switch (errorCode(error)) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return new StoreUnusableError(
        `'${path}' is not a readable database (it is damaged, or of another kind); restore it from a backup, or choose another file`,
        { cause: error },
      );
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return new StoreUnusableError(
        `'${path}' cannot be opened; check that its folder exists and can be written`,
        {
          cause: error,
        },
      );
    case SQLITE_READONLY:
      return new StoreUnusableError(`'${path}' cannot be written; check its permissions`, {
        cause: error,
      });
    default:
      return fileError(error, path);
  }
}

/** The error of a file beside the database. */
function fileError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new StoreUnusableError(
        `'${path}' cannot be written; check its permissions (${code})`,
        {
          cause: error,
        },
      );
    case "ENOSPC":
    case "EDQUOT":
      return new StoreUnusableError(
        `'${path}' cannot be opened: the disk is full; free some space (${code})`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** The error of a transaction that was rolled back, or of a commit. */
export function transactionError(error: unknown, phase: "work" | "commit"): unknown {
  switch (errorCode(error)) {
    case SQLITE_BUSY:
      return new StoreUnavailableError(
        "another program has locked the database; end that one, and it goes on by itself",
        { cause: error },
      );
    case SQLITE_FULL:
      return new StoreUnavailableError(
        "the disk is full; free some space, and it goes on by itself",
        {
          cause: error,
        },
      );
    case SQLITE_IOERR:
      return new StoreUnknownError("the disk reported an error; what was written last is unknown", {
        cause: error,
      });
    case undefined:
      return error;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      if (phase === "work") {
        return new StoreDamagedError(
          "the database file is damaged; stop the server and restore it from a backup",
          { cause: error },
        );
      }
      return unknown(error);
    default:
      return phase === "commit" ? unknown(error) : error;
  }
}

function unknown(error: unknown): StoreUnknownError {
  return new StoreUnknownError("the outcome of a commit is unknown", { cause: error });
}
