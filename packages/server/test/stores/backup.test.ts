import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backupDatabase, type Engine, openEngine, restoreDatabase } from "../../src/index.ts";

let folder: string;
let path: string;
let copy: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-backup-"));
  path = join(folder, "resonate.db");
  copy = join(folder, "copy.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const head = { corrId: "c", version: PROTOCOL_VERSION };
const create = (id: string): Request => ({
  kind: "promise.create",
  head,
  data: { id, timeoutAt: 8e15, param: { data: id }, tags: {} },
});
const get = (id: string): Request => ({ kind: "promise.get", head, data: { id } });
const status = async (engine: Engine, request: Request) =>
  (await engine.process([request]))[0]?.head.status;

test("a backup that is made while the server writes holds all that was answered before it began", async () => {
  const engine = await openEngine({ path, synchronous: "normal" });
  let written = 0;
  let writing = true;
  const load = (async () => {
    while (writing) {
      await engine.process(Array.from({ length: 50 }, (_, at) => create(`p${written + at}`)));
      written += 50;
      await turn();
    }
  })();
  while (written < 5_000) await turn();
  const before = written;

  const { promises, damaged } = await backupDatabase(path, copy).finally(() => {
    writing = false;
  });
  await load;
  await engine.close();

  const restored = await openEngine({ path: copy });
  const answers = await restored.process(Array.from({ length: before }, (_, at) => get(`p${at}`)));
  const states = new Set(answers.map((answer) => answer.head.status));
  const later = await status(restored, get(`p${written - 1}`));
  await restored.close();
  expect([...states]).toEqual([200]);
  expect(promises).toBeGreaterThanOrEqual(before);
  expect([damaged, later]).toEqual([[], promises === written ? 200 : 404]);
});

test("what is restored goes on from the backup, and refuses the claims of the time after it", async () => {
  const engine = await openEngine({ path });
  const claim = (pid: string, version: number): Request => ({
    kind: "task.acquire",
    head,
    data: { id: "t", version, pid, ttl: 60_000 },
  });
  const data = { ...create("t").data, tags: { "resonate:target": "poll://any@g" } };
  await engine.process([{ kind: "promise.create", head, data } as Request]);
  await backupDatabase(path, copy);
  await engine.process([claim("stale", 0)]);
  await engine.close();
  const other = join(folder, "restored.db");

  await restoreDatabase(copy, other);

  const restored = await openEngine({ path: other });
  const heldBy = (version: number): Request => ({
    kind: "task.fence",
    head,
    data: {
      id: "t",
      version,
      action: { kind: "promise.create", data: { ...create("x").data, tags: {} } },
    } as never, // The head of the inner action is not looked at.
  });
  expect(await status(restored, claim("new", 0))).toBe(409);
  expect(await status(restored, claim("new", 1_000_000))).toBe(200);
  expect(await status(restored, heldBy(1))).toBe(409);
  expect(await status(restored, heldBy(1_000_001))).toBe(200);
  await restored.close();
});

test("nothing is overwritten, and nothing is left of a backup that could not be made", async () => {
  await (await openEngine({ path })).close();
  const taken = join(folder, "taken.db");
  writeFileSync(taken, "mine");
  writeFileSync(`${copy}-wal`, "");
  const absent = join(folder, "absent", "copy.db");
  const names = readdirSync(folder);

  await expect(backupDatabase(path, taken)).rejects.toThrow("is there already");
  await expect(restoreDatabase(path, copy)).rejects.toThrow(`'${copy}-wal' is there already`);
  await expect(backupDatabase(path, absent)).rejects.toThrow("cannot be opened");
  await expect(backupDatabase(join(folder, "none.db"), join(folder, "x"))).rejects.toThrow(
    "cannot be opened",
  );

  // A look at a database leaves its shared memory beside it.
  const looked = ["resonate.db-shm", "resonate.db-wal"];
  expect(readdirSync(folder)).toEqual([...names, "copy.db.lock", ...looked].sort());
  expect(readFileSync(taken, "utf8")).toBe("mine");
});

test("a file that a server has open is not restored over", async () => {
  const engine = await openEngine({ path });
  await backupDatabase(path, copy);

  await expect(restoreDatabase(copy, path)).rejects.toThrow(`process ${process.pid}`);

  await engine.close();
});

test("a backup says which promises were damaged already", async () => {
  const engine = await openEngine({ path });
  await engine.process([create("sound"), create("broken")]);
  await engine.close();
  const db = new DatabaseSync(path);
  db.exec("UPDATE promises SET param = '{\"data\":\"brokem\"}' WHERE id = 'broken'");
  db.close();

  expect(await backupDatabase(path, copy)).toEqual({ promises: 2, damaged: ["broken"] });
  expect(existsSync(copy)).toBe(true);
});

test("another program's database is not taken for ours", async () => {
  new DatabaseSync(path).exec("CREATE TABLE recipes (name TEXT)");

  await expect(backupDatabase(path, copy)).rejects.toThrow("of another program");
});
