/** Runs tests on each kind of store, by its port alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe } from "vitest";
import type { StoredPromise, StoredTask } from "../../src/core/records.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import type { Store } from "../../src/stores/store.ts";

const OPEN: Readonly<Record<string, (folder: string) => Store>> = {
  memory: () => new MemoryStore(),
  sqlite: (folder) => new SqliteStore({ path: join(folder, "test.db"), synchronous: "normal" }),
};

/** Runs `tests` on an empty store of each kind. */
export function withEveryStore(name: string, tests: (store: () => Store) => void): void {
  describe.each(Object.keys(OPEN))(`${name} (%s)`, (kind) => {
    let folder: string;
    let store: Store;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "resonate-store-"));
      store = (OPEN[kind] ?? OPEN["memory"])?.(folder) as Store; // One of those above.
    });
    afterEach(async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    });
    tests(() => store);
  });
}

export function promise(id: string, over: Partial<StoredPromise> = {}): StoredPromise {
  const born = { param: {}, value: {}, tags: {}, timeoutAt: 9_000, createdAt: 1 };
  return { id, state: "pending", ...born, ...over };
}

export function task(id: string, over: Partial<StoredTask> = {}): StoredTask {
  return { id, state: "pending", version: 0, resumes: 0, ...over };
}
