import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { openEngine } from "../../src/open.ts";
import { StoreUnusableError } from "../../src/stores/store.ts";
import { RecordingLogger } from "../support/logger.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-store-"));
  path = join(folder, "resonate.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const head = { corrId: "c", version: PROTOCOL_VERSION };
const create = (id: string, bytes = 10): Request => ({
  kind: "promise.create",
  head,
  data: { id, timeoutAt: 8e15, param: { data: "x".repeat(bytes) }, tags: {} },
});

const claim = (id: string): Request => ({
  kind: "task.create",
  head,
  data: {
    pid: "p",
    ttl: 1_000_000,
    action: {
      kind: "promise.create",
      data: { id, timeoutAt: 8e15, param: {}, tags: { "resonate:target": "poll://any@g" } },
    },
  },
});

async function fill(promises: number): Promise<void> {
  const engine = await openEngine({ path });
  await engine.process(Array.from({ length: promises }, (_, at) => create(`p${at}`)));
  await engine.close();
}

function sql(statements: string): void {
  const db = new DatabaseSync(path);
  db.exec(statements);
  db.close();
}

/** The refusal to open `path`, which must leave no lock behind. */
async function refusal(): Promise<string> {
  const first = await openEngine({ path }).catch((error: unknown) => error);
  const second = await openEngine({ path }).catch((error: unknown) => error);
  expect(first).toBeInstanceOf(StoreUnusableError);
  expect(second).toEqual(first);
  return (first as StoreUnusableError).message;
}

describe("a file that cannot be used is refused with what to do, and is left as it was:", () => {
  test("one that is no database", async () => {
    writeFileSync(path, "this is a letter to my aunt, and no database at all\n".repeat(200));
    const before = readFileSync(path);

    expect(await refusal()).toContain("is not a readable database");
    expect(readFileSync(path)).toEqual(before);
  });

  test("one that was cut off", async () => {
    await fill(2_000);
    truncateSync(path, 40_960);

    expect(await refusal()).toContain("restore it from a backup");
  });

  test("one whose first pages are garbage", async () => {
    await fill(2_000);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, 12_288);
    writeFileSync(path, bytes);

    expect(await refusal()).toContain("is not a readable database");
  });

  test("one whose tables are garbage behind a sound first page", async () => {
    await fill(2_000);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 4_096));

    expect(await refusal()).toContain("is not a readable database");
  });

  test("one of another program", async () => {
    sql("CREATE TABLE recipes (name TEXT)");

    expect(await refusal()).toContain("is a database of another program");
  });

  test("one of another program with a version of its own", async () => {
    sql("CREATE TABLE recipes (name TEXT); PRAGMA user_version = 1; PRAGMA application_id = 7");

    expect(await refusal()).toContain("is a database of another program");
  });

  test("one of a newer version of this program", async () => {
    await fill(1);
    sql("PRAGMA user_version = 99");

    expect(await refusal()).toContain("schema 99");
  });

  test("one in a folder that is not there", async () => {
    path = join(folder, "absent", "resonate.db");

    expect(await refusal()).toContain("cannot be opened");
  });

  test("one in a folder that is a file", async () => {
    writeFileSync(join(folder, "file"), "");
    path = join(folder, "file", "resonate.db");

    expect(await refusal()).toContain("cannot be opened");
  });

  test("one that is a folder", async () => {
    mkdirSync(path);

    expect(await refusal()).toContain("cannot be opened");
  });
});

test("a damaged page anywhere is refused or does no harm at the start, and leaves no lock behind", async () => {
  const engine = await openEngine({ path });
  await engine.process(Array.from({ length: 2_000 }, (_, at) => claim(`p${at}`)));
  await engine.close();
  const sound = readFileSync(path);

  for (let page = 1; page < sound.length / 4_096; page += 7) {
    const bytes = Buffer.from(sound);
    writeFileSync(path, bytes.fill(0xa5, page * 4_096, (page + 1) * 4_096));
    const opened = await openEngine({ path, logger: new RecordingLogger() }).catch(
      (error: unknown) => error,
    );
    if (opened instanceof Error) expect(opened).toBeInstanceOf(StoreUnusableError);
    // biome-ignore lint/suspicious/noExplicitAny: what is no error is an engine.
    else await (opened as any).close();
  }
});

test("while another program has locked it, a write is 503 and says why, and goes on afterwards", async () => {
  const engine = await openEngine({ path, logger: new RecordingLogger() });
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");

  const [refused] = await engine.process([create("p")]);
  other.exec("ROLLBACK");
  other.close();
  const [again] = await engine.process([create("p")]);
  await engine.close();

  expect([refused?.head.status, refused?.data]).toEqual([
    503,
    expect.stringContaining("another program has locked the database"),
  ]);
  expect(again?.head.status).toBe(200);
});

test("an empty file becomes a database", async () => {
  writeFileSync(path, "");

  await fill(1);

  expect(readdirSync(folder)).toEqual(expect.arrayContaining(["resonate.db"]));
});

test("closing leaves the database and nothing that holds it", async () => {
  await fill(10);

  expect(readdirSync(folder).sort()).toEqual(["resonate.db", "resonate.db.lock"]);
});

/** A disk that can be filled: only where this process may mount one. */
const disk = mountable();
afterEach(() => disk.free());
afterAll(() => rmSync(disk.point, { recursive: true }));

test.skipIf(!disk.works)(
  "a full disk is 503, reads go on, and writing goes on when there is space",
  async () => {
    path = join(disk.mount(), "resonate.db");
    const engine = await openEngine({ path, logger: new RecordingLogger() });
    const statuses: number[] = [];
    for (let at = 0; at < 200 && statuses.at(-1) !== 503; at++) {
      const [answer] = await engine.process([create(`p${at}`, 50_000)]);
      statuses.push(answer?.head.status ?? 0);
    }
    const last = statuses.length - 1;
    const get = (id: string): Request => ({ kind: "promise.get", head, data: { id } });

    const [kept, refused] = await engine.process([get(`p${last - 1}`), get(`p${last}`)]);
    disk.grow();
    const [again] = await engine.process([create(`p${last}`, 50_000)]);
    await engine.close();

    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([200]));
    expect(statuses.at(-1)).toBe(503);
    expect([kept, refused, again].map((answer) => answer?.head.status)).toEqual([200, 404, 200]);
  },
);

function mountable() {
  const point = mkdtempSync(join(tmpdir(), "resonate-disk-"));
  const run = (...args: string[]) =>
    execFileSync(args[0] ?? "", args.slice(1), { stdio: "ignore" });
  let mounted = false;
  const mount = () => {
    run("mount", "-t", "tmpfs", "-o", "size=2m", "none", point);
    mounted = true;
    return point;
  };
  const free = () => {
    if (mounted) run("umount", point);
    mounted = false;
  };
  let works = false;
  try {
    mount();
    free();
    works = true;
  } catch {
    // Not allowed here.
  }
  return { point, works, mount, free, grow: () => run("mount", "-o", "remount,size=16m", point) };
}
