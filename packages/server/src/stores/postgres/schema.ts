/** The tables, and the way from older ones. */
import type { ClientBase } from "pg";
import { StoreUnusableError } from "../store.ts";

/**
 * One entry per schema version; the last one is current.
 *
 * A promise and its task are one row: what a transaction locks is then all that it decides on. Rows are keyed by a
 * number, because random text makes a poor key, and everything refers to a promise by it. `branch`, `origin` and `caller` are
 * hashes of the tags, null where the tag is absent or the promise's own id. `task_group` is the group of workers that a
 * pending task is offered to, `listener_group` that of a listener. Text is compared by its bytes, as in the other stores.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE resonate.promises (
    seq bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    timeout_at bigint NOT NULL,
    created_at bigint NOT NULL,
    tags text NOT NULL,
    param text NOT NULL,
    caller bigint,
    branch bigint,
    origin bigint,
    state smallint NOT NULL,
    settled_at bigint,
    due_at bigint,
    value text NOT NULL,
    crc bigint NOT NULL,
    task_state smallint,
    task_version bigint,
    task_resumes integer,
    task_ttl bigint,
    task_pid text COLLATE "C",
    task_due_at bigint,
    task_failures integer,
    task_cause text,
    task_group text COLLATE "C"
  );
  CREATE INDEX promises_due ON resonate.promises (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX promises_branch ON resonate.promises (branch) WHERE branch IS NOT NULL;
  CREATE INDEX promises_origin ON resonate.promises (origin, seq) WHERE origin IS NOT NULL;
  CREATE INDEX promises_caller ON resonate.promises (caller) WHERE caller IS NOT NULL;
  CREATE INDEX tasks_due ON resonate.promises (task_due_at) WHERE task_due_at IS NOT NULL;
  -- 0: pending; 1: acquired.
  CREATE INDEX tasks_pending ON resonate.promises (task_group, task_due_at) WHERE task_state = 0;
  CREATE INDEX tasks_held ON resonate.promises (task_pid) WHERE task_state = 1;

  CREATE TABLE resonate.callbacks (
    awaited bigint NOT NULL,
    awaiter bigint NOT NULL,
    PRIMARY KEY (awaited, awaiter)
  );
  CREATE TABLE resonate.resumes (
    awaiter bigint NOT NULL,
    awaited bigint NOT NULL,
    PRIMARY KEY (awaiter, awaited)
  );
  CREATE INDEX resumes_awaited ON resonate.resumes (awaited);

  CREATE TABLE resonate.listeners (
    awaited bigint NOT NULL,
    address text COLLATE "C" NOT NULL,
    notify_at bigint,
    listener_group text COLLATE "C",
    PRIMARY KEY (awaited, address)
  );
  CREATE INDEX listeners_due ON resonate.listeners (notify_at) WHERE notify_at IS NOT NULL;
  CREATE INDEX listeners_untold ON resonate.listeners (listener_group, notify_at) WHERE notify_at IS NOT NULL;

  CREATE TABLE resonate.schedules (
    id text COLLATE "C" PRIMARY KEY,
    next_run_at bigint NOT NULL,
    record text NOT NULL
  );
  CREATE INDEX schedules_due ON resonate.schedules (next_run_at);

  -- The servers that are there, when they last said so, and who is connected to them. What is lost with the
  -- database's memory is said again within a second.
  CREATE UNLOGGED TABLE resonate.servers (
    name text PRIMARY KEY,
    seen_at bigint NOT NULL,
    places text[] NOT NULL
  );

  -- Each server takes a block of row numbers at a time.
  CREATE SEQUENCE resonate.blocks;
  INSERT INTO resonate.meta (name, value) VALUES ('clock_floor', 0);
  `,
  // For those who look on. None of these columns changes in an update that changed no index before.
  `
  CREATE INDEX IF NOT EXISTS promises_runs ON resonate.promises (seq) WHERE origin IS NULL AND caller IS NULL;
  -- 2: suspended; 3: halted.
  CREATE INDEX IF NOT EXISTS tasks_parked ON resonate.promises (task_state, seq) WHERE task_state IN (2, 3);
  CREATE INDEX IF NOT EXISTS callbacks_awaiter ON resonate.callbacks (awaiter);
  `,
];

/** Any number: servers that start at the same time migrate one after the other. */
const MIGRATION_LOCK = 0x52534e54;

/** Brings the tables to the current version. Any number of servers may do so at once. */
export async function migrate(client: ClientBase): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await client.query("CREATE SCHEMA IF NOT EXISTS resonate");
    await client.query(
      "CREATE TABLE IF NOT EXISTS resonate.meta (name text PRIMARY KEY, value bigint NOT NULL)",
    );
    const version = await schemaVersion(client);
    if (version > MIGRATIONS.length) throw newer(version);
    for (const statements of MIGRATIONS.slice(version)) await client.query(statements);
    await client.query(
      `INSERT INTO resonate.meta (name, value) VALUES ('schema', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value`,
      [MIGRATIONS.length],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function schemaVersion(client: ClientBase): Promise<number> {
  const { rows } = await client.query("SELECT value FROM resonate.meta WHERE name = 'schema'");
  return Number(rows[0]?.value ?? 0);
}

function newer(version: number): StoreUnusableError {
  return new StoreUnusableError(
    `the database was written by a newer version (schema ${version}, this one knows ${MIGRATIONS.length}); upgrade this program`,
  );
}
