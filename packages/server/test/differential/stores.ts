/** Every store that the server has. A new one is one more line here, and all of the proofs run on it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import type { Store } from "../../src/stores/store.ts";

export interface OpenStore {
  readonly store: Store;
  /** Closes it, and leaves nothing behind. */
  close(): Promise<void>;
}

export type StoreName = keyof typeof STORES;

export const STORES = {
  memory: () => opened(new MemoryStore()),
  sqlite: onFile,
  postgres: inPostgres,
} satisfies Readonly<Record<string, () => OpenStore | Promise<OpenStore>>>;

export const STORE_NAMES = Object.keys(STORES) as readonly StoreName[]; // The keys of that very object.

function opened(store: Store): OpenStore {
  return { store, close: () => store.close() };
}

function onFile(): OpenStore {
  const folder = mkdtempSync(join(tmpdir(), "resonate-differential-"));
  const store = new SqliteStore({ path: join(folder, "resonate.db"), synchronous: "normal" });
  return {
    store,
    async close() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Only in a test, whose run has a database. */
async function inPostgres(): Promise<OpenStore> {
  const { emptyPostgres } = await import("../support/every-store.ts");
  return opened(await emptyPostgres());
}
