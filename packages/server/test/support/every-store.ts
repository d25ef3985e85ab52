/** Runs tests on each kind of store, by its port alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, inject } from "vitest";
import type { StoredPromise, StoredTask } from "../../src/core/records.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import { PostgresStore } from "../../src/stores/postgres/postgres-store.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import type { Store } from "../../src/stores/store.ts";
import { createDatabase } from "./postgres.ts";

interface Opened {
  readonly store: Store;
  /** Takes away what it was stored in. */
  remove(): void | Promise<void>;
}

const OPEN: Readonly<Record<string, () => Opened | Promise<Opened>>> = {
  memory: () => ({ store: new MemoryStore(), remove() {} }),
  sqlite: () => {
    const folder = mkdtempSync(join(tmpdir(), "resonate-store-"));
    return {
      store: new SqliteStore({ path: join(folder, "test.db"), synchronous: "normal" }),
      remove: () => rmSync(folder, { recursive: true }),
    };
  },
  postgres: async () => ({ store: await emptyPostgres(), remove() {} }),
};

/** Of this test file. */
let database: Promise<{ readonly url: string; drop(): Promise<void> }> | undefined;
afterAll(async () => (await database)?.drop());

/** The test file's database, emptied. */
export async function postgresUrl(): Promise<string> {
  await (await emptyPostgres()).close();
  return (await database)?.url ?? "";
}

/** The store in the test file's database. */
export async function openPostgres(): Promise<PostgresStore> {
  database ??= createDatabase(inject("postgresUrl"));
  // Where timers are not real ones, no time-out must be.
  return PostgresStore.open({ url: (await database).url, poolSize: 4, answerTimeoutMs: 0 });
}

/** The same, emptied. */
export async function emptyPostgres(): Promise<PostgresStore> {
  const store = await openPostgres();
  await store.reset();
  return store;
}

/** Runs `tests` on an empty store of each kind. */
export function withEveryStore(name: string, tests: (store: () => Store) => void): void {
  describe.each(Object.entries(OPEN))(`${name} (%s)`, (_, open) => {
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.store.close();
      await opened.remove();
    });
    tests(() => opened.store);
  });
}

export function promise(id: string, over: Partial<StoredPromise> = {}): StoredPromise {
  const born = { param: {}, value: {}, tags: {}, timeoutAt: 9_000, createdAt: 1 };
  return { id, state: "pending", ...born, ...over };
}

export function task(id: string, over: Partial<StoredTask> = {}): StoredTask {
  return { id, state: "pending", version: 0, resumes: 0, ...over };
}
