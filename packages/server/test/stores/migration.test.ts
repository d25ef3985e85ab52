import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migration } from "../../src/stores/sqlite/schema.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";

/** Written by the version that had schema 1: runs that are claimed, suspended, resumed and done. */
const SCHEMA_1 = fixture("schema-1");
/** The same of schema 2: a run that waits for two calls, one with an id of its own; a halted one; a settled promise. */
const SCHEMA_2 = fixture("schema-2");

function fixture(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(`fixtures/${name}.db.gz`, import.meta.url)));
}

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-migration-"));
  path = join(folder, "resonate.db");
  writeFileSync(path, SCHEMA_1);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a file of schema 1 opens with all that is in it, checksums and all", async () => {
  expect(await contents()).toMatchObject({
    promises: [
      {
        id: "pending",
        state: "pending",
        param: { headers: { h: "é" }, data: "param" },
        tags: { k: "v" },
      },
      { id: "settled", state: "rejected", value: { data: "value ✓", headers: { a: "b" } } },
      { id: "held", param: { data: "x".repeat(5_000) } },
      { id: "done", state: "resolved" },
    ],
    tasks: [
      { id: "held", state: "acquired", pid: "p1", version: 1 },
      { id: "done", state: "fulfilled" },
    ],
    obligations: [{ callbacks: ["suspended"], listeners: ["poll://uni@g/l"] }],
    held: ["held"],
    resumed: ["other"],
    nothingIsShownToTheDone: [],
  });
});

test("what a file of schema 2 holds is found by the indexes that came later", async () => {
  writeFileSync(path, SCHEMA_2);

  expect(await shown()).toEqual({
    runs: ["plain", "broken", "run"],
    halted: ["broken"],
    called: ["shared"],
    awaited: ["run:0", "shared"],
    open: { promises: 4, pending: 2, acquired: 0, suspended: 1, halted: 1 },
  });
});

test.each([
  ["1", SCHEMA_1, contents],
  ["2", SCHEMA_2, shown],
])(
  "a migration from schema %s that was killed at any statement is done again by the next start",
  async (version, file, read) => {
    writeFileSync(path, file);
    const expected = await read();
    const crashed = join(folder, "crashed.db");
    let statements = 1;
    for (let done = 1; done <= statements; done++) {
      writeFileSync(path, file);
      for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
      const db = new DatabaseSync(path);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA cache_size = 5");
      const all = migration(db, Number(version));
      statements = all.length;
      for (const statement of all.slice(0, done)) db.exec(statement);
      // The files as they are now are what a killed process leaves.
      for (const suffix of ["", "-wal"]) {
        rmSync(crashed + suffix, { force: true });
        if (existsSync(path + suffix)) copyFileSync(path + suffix, crashed + suffix);
      }
      db.close();

      expect({ done, ...(await read(crashed)) }).toEqual({ done, ...expected });
    }
    expect(statements).toBeGreaterThan(5);
  },
);

async function contents(file = path) {
  const store = new SqliteStore({ path: file, synchronous: "normal" });
  const seen = await store.transaction(async (tx) => {
    const { promises, tasks, obligations } = await tx.load({
      promises: ["pending", "settled", "held", "done", "resumed"],
      obligations: ["awaited"],
    });
    const [resumed, nothingIsShownToTheDone] = [
      await tx.resumed("resumed"),
      await tx.resumed("done"),
    ];
    return {
      promises: promises.slice(0, 4),
      tasks: tasks.slice(0, 2),
      obligations,
      resumed: resumed.map(({ id }) => id),
      nothingIsShownToTheDone,
    };
  }, 0);
  const held = (await store.heldBy("p1", 10)).map(({ id }) => id);
  await store.close();
  return { ...seen, held };
}

async function shown(file = path) {
  const store = new SqliteStore({ path: file, synchronous: "normal" });
  const { insight } = store;
  const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);
  const open = Object.entries(await insight.open(10)).map(([name, { count }]) => [name, count]);
  const seen = {
    runs: ids(await insight.runs({ limit: 10 })),
    halted: ids(await insight.halted({ limit: 10 })),
    called: (await insight.called(["run"], { after: 0, limit: 10 })).map(
      ({ outline }) => outline.id,
    ),
    awaited: (await insight.awaits(["run"], 10)).map(({ awaited }) => awaited),
    open: Object.fromEntries(open),
  };
  await store.close();
  return seen;
}
