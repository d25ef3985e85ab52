/**
 * One server per database file. The lock is SQLite's own, on a file beside the database, so that it ends with the
 * process, however that ends; readers of the database are not shut out. A small file names the holder.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreInUseError } from "../store.ts";
import { errorCode, SQLITE_BUSY } from "./errors.ts";

/** Locks `path` for this process; the returned function unlocks it. @throws StoreInUseError */
export function lock(path: string): () => void {
  const holderPath = `${path}.pid`;
  const db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (errorCode(error) !== SQLITE_BUSY) throw error;
    throw new StoreInUseError(
      `'${path}' is in use by ${holder(holderPath)}; stop that process, or choose another file`,
    );
  }
  writeFileSync(holderPath, `${process.pid}\n`, { mode: 0o600 });
  return () => {
    rmSync(holderPath, { force: true });
    db.close();
  };
}

function holder(path: string): string {
  try {
    return `process ${Number(readFileSync(path, "utf8").trim())}`;
  } catch {
    return "another process";
  }
}
