/** The tables, and the way from older ones. */
import type { DatabaseSync } from "node:sqlite";
import { crcOfBirth, crcOfRow } from "../rows.ts";
import { StoreUnusableError } from "../store.ts";

/** Marks a file as ours: "RSNT". */
const APPLICATION_ID = 0x52534e54;

/**
 * One entry per schema version; the last one is current. Ids are text, and random text makes a poor clustered
 * key, so rows are keyed by a number in the order of creation, and everything refers to a promise by it.
 * `branch`, `origin` and `caller` are hashes of the tags (a look-up compares the tag itself); they are null where the
 * tag is absent, or the promise's own id, which needs no index to be found.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `
  CREATE TABLE promises (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    timeout_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    due_at INTEGER,
    branch INTEGER,
    origin INTEGER,
    caller INTEGER,
    tags TEXT NOT NULL,
    param TEXT NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE INDEX promises_due ON promises (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX promises_branch ON promises (branch) WHERE branch IS NOT NULL;
  CREATE INDEX promises_origin ON promises (origin) WHERE origin IS NOT NULL;
  CREATE INDEX promises_caller ON promises (caller) WHERE caller IS NOT NULL;

  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY REFERENCES promises (seq),
    state INTEGER NOT NULL,
    version INTEGER NOT NULL,
    resumes INTEGER NOT NULL,
    ttl INTEGER,
    pid TEXT,
    due_at INTEGER
  ) STRICT;
  CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE callbacks (
    awaited INTEGER NOT NULL REFERENCES promises (seq),
    awaiter INTEGER NOT NULL REFERENCES promises (seq),
    PRIMARY KEY (awaited, awaiter)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE resumes (
    awaiter INTEGER NOT NULL REFERENCES promises (seq),
    awaited INTEGER NOT NULL REFERENCES promises (seq),
    PRIMARY KEY (awaiter, awaited)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE listeners (
    awaited INTEGER NOT NULL REFERENCES promises (seq),
    address TEXT NOT NULL,
    notify_at INTEGER,
    PRIMARY KEY (awaited, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX listeners_due ON listeners (notify_at) WHERE notify_at IS NOT NULL;

  CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    next_run_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schedules_due ON schedules (next_run_at);
  `,
  ],
  [
    "ALTER TABLE tasks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN cause TEXT",
    // 1: acquired.
    "CREATE INDEX tasks_held ON tasks (pid) WHERE state = 1",
    "ALTER TABLE promises ADD COLUMN crc INTEGER NOT NULL DEFAULT 0",
    "UPDATE promises SET crc = crc_of_row(id, timeout_at, created_at, tags, param, state, settled_at, value)",
    // 4: fulfilled. What such a task was resumed by is of no use to anyone; so it is kept from now on.
    "DELETE FROM resumes WHERE awaiter IN (SELECT seq FROM tasks WHERE state = 4)",
    "CREATE INDEX resumes_awaited ON resumes (awaited)",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  ],
  // For those who look on. What starts a run is in the first one from its creation to its end, and costs nothing more.
  [
    "CREATE INDEX promises_runs ON promises (seq) WHERE origin IS NULL AND caller IS NULL",
    // 2: suspended; 3: halted.
    "CREATE INDEX tasks_parked ON tasks (state) WHERE state IN (2, 3)",
    "CREATE INDEX callbacks_awaiter ON callbacks (awaiter)",
  ],
];

/** Brings the tables to the current version, in one transaction. */
export function migrate(db: DatabaseSync, path: string): void {
  const version = pragma(db, "user_version");
  if (version > 0 || hasTables(db)) requireOurs(db, path);
  if (version === MIGRATIONS.length) return;
  for (const statement of migration(db, version)) db.exec(statement);
}

/** @throws StoreUnusableError when the database is of another program, or of a newer version of this one. */
export function requireOurs(db: DatabaseSync, path: string): void {
  const version = pragma(db, "user_version");
  if (version === 0 || pragma(db, "application_id") !== APPLICATION_ID) {
    throw new StoreUnusableError(`'${path}' is a database of another program; choose another file`);
  }
  if (version > MIGRATIONS.length) {
    throw new StoreUnusableError(
      `'${path}' was written by a newer version (schema ${version}, this one knows ${MIGRATIONS.length}); upgrade this program`,
    );
  }
}

/** The statements that bring a database from `version` (0: empty) to the current one, in one transaction. */
export function migration(db: DatabaseSync, version: number): readonly string[] {
  db.function(
    "crc_of_row",
    { deterministic: true },
    (id, timeoutAt, createdAt, tags, param, state, settledAt, value) =>
      crcOfRow({ state, settledAt, value }, crcOfBirth({ id, timeoutAt, createdAt, tags, param })),
  );
  return [
    "BEGIN IMMEDIATE",
    ...MIGRATIONS.slice(version).flat(),
    `PRAGMA application_id = ${APPLICATION_ID}`,
    `PRAGMA user_version = ${MIGRATIONS.length}`,
    "COMMIT",
  ];
}

function pragma(db: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function hasTables(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}
