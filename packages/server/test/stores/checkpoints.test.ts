import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import { Random } from "../differential/random.ts";
import { SEED } from "../faults/seed.ts";
import { rows } from "./checkpointed-rows.ts";

const WRITER = fileURLToPath(new URL("checkpointing-writer.ts", import.meta.url));
/** Pages after which the log is moved in these tests, and bytes of a page with its frame. */
const PAGES = 50;
const FRAME = 4_096 + 24;
/** What a log may grow by while it is moved three times, in bytes: commits wait at four times `PAGES` each time. */
const GROWTH_MAX = 12 * PAGES * FRAME;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-checkpoints-"));
  path = join(folder, "resonate.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a writer that never rests does not outrun the log's thread, and all that it wrote is in the file", async () => {
  const store = open();

  let longest = 0;
  for (let at = 0; at < 1_000; at++) {
    await put(store, [`p${at}`]);
    longest = Math.max(longest, logBytes());
  }
  await store.close();

  expect(longest).toBeGreaterThan(PAGES * FRAME);
  expect(longest).toBeLessThan(GROWTH_MAX + 20 * FRAME);
  expect(count()).toBe(1_000);
});

test("a log that a reader still needs stays and grows, and is moved when the reader has ended", async () => {
  const store = open();
  await put(store, ["p0"]);
  const reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  expect(reader.prepare("SELECT count(*) AS n FROM promises").get()?.["n"]).toBe(1);

  for (let at = 1; at <= 400; at++) await put(store, [`p${at}`]);
  const held = logBytes();
  expect(reader.prepare("SELECT count(*) AS n FROM promises").get()?.["n"]).toBe(1);
  reader.close();
  for (let at = 401; at <= 1_500; at++) await put(store, [`p${at}`]);

  expect(held).toBeGreaterThan(400 * FRAME);
  // The log was begun again: without that it would be three times as long.
  expect(logBytes()).toBeLessThan(held + GROWTH_MAX);
  await store.close();
  expect(count()).toBe(1_501);
});

test(`after kill -9 while the log is being moved, all that was on the disk is there (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  for (let round = 0; round < 5; round++) {
    rmSync(path, { force: true });
    const named = await killedAfter(200 + random.below(2_000));

    const db = new DatabaseSync(path);
    const there = new Set(
      db
        .prepare("SELECT id FROM promises")
        .all()
        .map((row) => row["id"]),
    );
    const sound = db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
    db.close();

    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((id) => !there.has(id))).toEqual([]);
    expect(sound).toBe("ok");
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  }
}, 60_000);

test.each([
  ["a program that does not close its store ends all the same", ""],
  ["a program that has nothing else to do waits until its store is closed", "close"],
])("%s", (_, last) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [WRITER, path, "400", last], {
    encoding: "utf8",
    timeout: 30_000,
  });

  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.trim().split("\n").at(-1)).toBe("end");
  expect(count()).toBe(400);
});

test("where no thread may be started the log is moved without one", () => {
  const words = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", WRITER];
  const { status, stdout } = spawnSync(process.execPath, [...words, path, "5000"], {
    encoding: "utf8",
    timeout: 60_000,
  });

  expect(status).toBe(0);
  expect(stdout.trim().split("\n").at(-1)).toBe("end");
  // As much as SQLite's own checkpoints leave; that many rows are more.
  expect(logBytes()).toBeLessThan(9_000 * FRAME);
  expect(count()).toBe(5_000);
});

function open(): SqliteStore {
  return new SqliteStore({ path, synchronous: "full", checkpointPages: PAGES });
}

function put(store: SqliteStore, ids: readonly string[]): Promise<void> {
  return store.transaction((tx) => tx.write(rows(ids)), 1);
}

function logBytes(): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function count(): unknown {
  const db = new DatabaseSync(path);
  const row = db.prepare("SELECT count(*) AS n FROM promises").get();
  db.close();
  return row?.["n"];
}

/** What a writer named before it was killed, some moments after so many. */
async function killedAfter(lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, path, "1000000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const named: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    named.push(line);
    if (named.length === lines) child.kill("SIGKILL");
  }
  return named;
}
