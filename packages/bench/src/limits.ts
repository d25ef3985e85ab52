/** What the machine itself can do: the disk, SQLite, and a bare HTTP server in front of it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Pool } from "undici";
import type { Running } from "./running.ts";
import { remove, temporaryFolder } from "./temporary-folder.ts";

/** Rows that share a commit, where work comes in batches: as many as a batch of requests has. */
const GROUP = 1_000;
/** About what a promise takes. */
const TEXT = "x".repeat(300);

/** 4 KiB appended to a file and brought to the disk, again and again. */
export async function openDisk(): Promise<Running> {
  const folder = temporaryFolder();
  const file = openSync(join(folder, "log"), "a");
  const page = Buffer.alloc(4_096, 1);
  return {
    async run(_id, _fn, count) {
      for (let i = 0; i < count; i++) {
        writeSync(file, page);
        fdatasyncSync(file);
      }
    },
    async close() {
      closeSync(file);
      remove(folder);
    },
  };
}

/** A table like that of promises, with nothing around it. */
export class BareTable {
  readonly #db: DatabaseSync;
  readonly #insert: ReturnType<DatabaseSync["prepare"]>;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000;
      CREATE TABLE rows (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL) STRICT;
    `);
    this.#insert = this.#db.prepare("INSERT INTO rows (id, text) VALUES (?, ?)");
  }

  commit(ids: readonly string[]): void {
    this.#db.exec("BEGIN IMMEDIATE");
    for (const id of ids) this.#insert.run(id, TEXT);
    this.#db.exec("COMMIT");
  }

  close(): void {
    this.#db.close();
  }
}

/** One row for each, in groups. */
export async function openSqlite(): Promise<Running> {
  const folder = temporaryFolder();
  const table = new BareTable(join(folder, "bare.db"));
  return {
    async run(id, _fn, count) {
      for (let from = 0; from < count; from += GROUP) {
        const size = Math.min(GROUP, count - from);
        table.commit(Array.from({ length: size }, (_, i) => `${id}.${from + i}`));
      }
    },
    async close() {
      table.close();
      remove(folder);
    },
  };
}

/** One POST for each, answered when its row is on the disk; one after the other. */
export async function openPost(): Promise<Running> {
  const server = fork(new URL("./bare-server.ts", import.meta.url), { execArgv: [] });
  const [port] = (await once(server, "message")) as [number];
  const pool = new Pool(`http://127.0.0.1:${port}`);
  return {
    async run(id, _fn, count) {
      for (let i = 0; i < count; i++) {
        const body = JSON.stringify({ id: `${id}.${i}`, text: TEXT });
        const headers = { "content-type": "application/json" };
        const reply = await pool.request({ path: "/", method: "POST", headers, body });
        JSON.parse(await reply.body.text());
      }
    },
    async close() {
      await pool.close();
      server.disconnect();
      await once(server, "exit");
    },
  };
}
