/** Copies of a database, made while a server uses it, and the way back from one. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, backup as sqliteBackup } from "node:sqlite";
import { promiseOf, type Row } from "../rows.ts";
import { StoreUnusableError } from "../store.ts";
import { openingError } from "./errors.ts";
import { lock } from "./lock.ts";
import { requireOurs } from "./schema.ts";
import { PROMISE_COLUMNS } from "./statements.ts";

/** All pages in one step, so that a server which writes meanwhile cannot make the copy begin again. */
const PAGES_ALL = 2 ** 31 - 1;

/**
 * What a restored database adds to the versions of tasks, so that no claim of the time after the backup is valid:
 * more claims than any task has between a backup and its use.
 */
const VERSIONS_SKIPPED = 1_000_000;

/** What a backup holds. */
export interface BackupReport {
  readonly promises: number;
  /** Ids of promises that were damaged in the database already, and are in the backup as they were. */
  readonly damaged: readonly string[];
}

/**
 * Copies the database `from` to the file `to`, as it is at one instant. A server may be using it, and is not disturbed.
 * The copy is checked, and on the disk, when the promise resolves; before that there is nothing at `to`.
 *
 * @throws StoreUnusableError when `from` is not a database of ours or its structure is damaged, when there is
 *   something at `to`, or when that cannot be written.
 */
export async function backupDatabase(from: string, to: string): Promise<BackupReport> {
  requireFree(to);
  return placed(to, async (partial) => {
    await copy(from, partial);
    return check(partial, from);
  });
}

/**
 * Makes a database at `to` out of a backup. No server may be using `to`, and there must be nothing: move away what is
 * there, its `-wal` file too. Work goes on from where it was at the backup; claims of workers that go on from a later
 * time are refused.
 *
 * @throws StoreUnusableError as `backupDatabase`.
 * @throws StoreInUseError when a server has `to` open.
 */
export async function restoreDatabase(backup: string, to: string): Promise<BackupReport> {
  const unlock = lock(to);
  try {
    requireFree(to);
    return await placed(to, async (partial) => {
      await copy(backup, partial);
      const report = check(partial, backup);
      const db = new DatabaseSync(partial);
      db.prepare("UPDATE tasks SET version = version + ?").run(VERSIONS_SKIPPED);
      db.close();
      return report;
    });
  } finally {
    unlock();
  }
}

/** Lets `make` write a file beside `to`, which takes its place when all of it is on the disk. */
async function placed<T>(to: string, make: (partial: string) => Promise<T>): Promise<T> {
  const partial = `${to}.partial`;
  try {
    rmSync(partial, { force: true });
    const made = await make(partial);
    sync(partial);
    renameSync(partial, to);
    sync(dirname(to));
    return made;
  } catch (error) {
    throw openingError(error, to);
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"])
      rmSync(partial + suffix, { force: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(from, { readOnly: true });
    requireOurs(db, from);
    await sqliteBackup(db, to, { rate: PAGES_ALL });
  } catch (error) {
    throw openingError(error, from);
  } finally {
    db?.close();
  }
}

/** Looks at all of a copy. Leaves it as one file, without a log. */
function check(path: string, from: string): BackupReport {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = DELETE");
    const found = db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
    if (found !== "ok") {
      throw new StoreUnusableError(`'${from}' is damaged: ${String(found)}; use an older backup`);
    }
    const damaged: string[] = [];
    let promises = 0;
    for (const row of db.prepare(`SELECT ${PROMISE_COLUMNS} FROM promises p`).iterate()) {
      promises++;
      if (isDamaged(row)) damaged.push(String(row["id"]));
    }
    return { promises, damaged };
  } finally {
    db.close();
  }
}

function isDamaged(row: Row): boolean {
  try {
    promiseOf(row);
    return false;
  } catch {
    return true;
  }
}

function requireFree(path: string): void {
  const there = [path, `${path}-wal`].find((one) => existsSync(one));
  if (there === undefined) return;
  throw new StoreUnusableError(`'${there}' is there already; move it away, or choose another file`);
}

function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
