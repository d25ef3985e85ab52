import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openEngine } from "../../src/open.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";

const DAY_MS = 86_400_000;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-clock-"));
  path = join(folder, "resonate.db");
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const head = { corrId: "c", version: PROTOCOL_VERSION };
const create = (id: string): Request => ({
  kind: "promise.create",
  head,
  data: { id, timeoutAt: 8e15, param: {}, tags: {} },
});

test("what is created after a restart is never older than what was created before, when the clock was set back", async () => {
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  const created: number[] = [];
  for (const jump of [0, -DAY_MS, -DAY_MS, 5]) {
    vi.setSystemTime(Date.now() + jump);
    const warnings: string[] = [];
    const quiet = { debug() {}, info() {}, error() {} };
    const logger = { ...quiet, warn: (_: unknown, message: string) => warnings.push(message) };
    const engine = await openEngine({ path, logger });
    for (const id of ["a", "b"]) {
      const [answer] = await engine.process([create(`${created.length}${id}`)]);
      const data = answer?.data as { promise: { createdAt: number } } | undefined;
      created.push(data?.promise.createdAt ?? 0);
    }
    await engine.close();
    expect(warnings).toHaveLength(created.length > 2 ? 1 : 0);
  }

  expect(created).toEqual(created.toSorted((one, other) => one - other));
});

test("the floor is in the commit that needs it, also in one that only reads, and is written once a second", async () => {
  const store = new SqliteStore({ path, synchronous: "normal" });
  const other = new DatabaseSync(path, { readOnly: true });
  const stored = other.prepare("SELECT value FROM meta WHERE name = 'clock_floor'");
  const seen: unknown[] = [];
  for (const at of [5_000, 5_001, 6_000, 6_001, 6_500]) {
    await store.transaction((tx) => tx.load({ promises: ["a"] }), at);
    seen.push(stored.get()?.["value"]);
  }
  other.close();

  expect(seen).toEqual([6_000, 6_000, 6_000, 7_001, 7_001]);
  await store.close();
});

test("a transaction that is rolled back leaves the floor to the next one", async () => {
  const store = new SqliteStore({ path, synchronous: "normal" });
  const broken = store.transaction(() => Promise.reject(new Error("no")), 5_000);
  await expect(broken).rejects.toThrow("no");
  await store.transaction((tx) => tx.load({}), 4_000);

  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, join(folder, `copy.db${suffix}`));
  const copy = new SqliteStore({ path: join(folder, "copy.db"), synchronous: "normal" });

  expect([store.clockFloor, copy.clockFloor]).toEqual([0, 5_000]);
  await copy.close();
  await store.close();
});
