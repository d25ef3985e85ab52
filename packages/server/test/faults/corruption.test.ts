import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Engine, openEngine } from "../../src/index.ts";
import { StoreUnusableError } from "../../src/stores/store.ts";
import { Random } from "../differential/random.ts";
import { RecordingLogger } from "../support/logger.ts";
import { rounds, SEED } from "./seed.ts";

const PLACES = rounds(200);
const PROMISES = 200;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-corruption-"));
  path = join(folder, "resonate.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const head = { corrId: "c", version: PROTOCOL_VERSION };
const idOf = (at: number) => `promise-${at}`;
const ids = Array.from({ length: PROMISES }, (_, at) => idOf(at));
const textOf = (id: string) => `${id} `.repeat(40);
const create = (id: string): Request => ({
  kind: "promise.create",
  head,
  data: { id, timeoutAt: 8e15, param: { data: textOf(id) }, tags: { k: id } },
});
const settle = (id: string): Request => ({
  kind: "promise.settle",
  head,
  data: { id, state: "resolved", value: { data: `value of ${textOf(id)}` } },
});
const get = (id: string): Request => ({ kind: "promise.get", head, data: { id } });

test(`a bit that flips, or an end that is lost, at ${PLACES} places in the database: no wrong value is served (SEED=${SEED})`, async () => {
  const engine = await openEngine({ path });
  await engine.process([...ids.map(create), ...ids.map(settle)]);
  await engine.close();
  const random = new Random(SEED);
  const seen = { right: 0, refused: 0, absent: 0, notOpened: 0 };

  for (let place = 0; place < PLACES; place++) {
    const damaged = join(folder, `damaged-${place}.db`);
    copyFileSync(path, damaged);
    harm(damaged, random);
    await look(damaged, seen, (record) => record.settled);
  }

  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.notOpened).toBeGreaterThan(0);
  // A flipped key of an index hides a row. It is rare, and the check of a backup finds it.
  expect(seen.absent).toBeLessThan((seen.right + seen.refused) / 100);
}, 120_000);

test(`the same in the log: what is served was true at some time, and nothing is made up (SEED=${SEED})`, async () => {
  const engine = await openEngine({ path });
  await engine.process(ids.map(create));
  for (const id of ids) await engine.process([settle(id)]);
  // The files as they are now are what a killed process leaves.
  const [database, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  await engine.close();
  const random = new Random(SEED);
  const seen = { right: 0, refused: 0, absent: 0, notOpened: 0 };

  for (let place = 0; place < PLACES; place++) {
    const damaged = join(folder, `damaged-${place}.db`);
    writeFileSync(damaged, database);
    writeFileSync(`${damaged}-wal`, log);
    harm(`${damaged}-wal`, random);
    await look(damaged, seen, () => true);
  }

  expect(seen.right).toBeGreaterThan(0);
}, 120_000);

test("a damaged promise is refused by name, and its neighbours in the same request go on", async () => {
  const engine = await openEngine({ path, logger: new RecordingLogger() });
  const targeted = { "resonate:target": "poll://any@g" };
  const claimable = (id: string): Request => ({
    kind: "promise.create",
    head,
    data: { id, timeoutAt: 8e15, param: {}, tags: targeted },
  });
  await engine.process([create("a"), create("b"), settle("b"), claimable("broken")]);
  await engine.close();
  const db = new DatabaseSync(path);
  db.exec("UPDATE promises SET timeout_at = timeout_at + 1 WHERE id IN ('b', 'broken')");
  db.close();

  // One of them is an offer that the start takes up: that must not keep the server from starting.
  const next = await openEngine({ path, logger: new RecordingLogger() });
  const answers = await next.process([get("a"), get("b"), settle("b"), create("c"), get("broken")]);
  await next.close();

  expect(answers.map((answer) => answer.head.status)).toEqual([200, 500, 500, 200, 500]);
  expect(answers[1]?.data).toMatch(/promise 'b' is damaged: .*restore the file from a backup/);
});

/** Flips one bit, or cuts the end off. */
function harm(file: string, random: Random): void {
  const bytes = readFileSync(file);
  const at = random.below(bytes.length);
  if (random.chance(0.1)) {
    truncateSync(file, at);
    return;
  }
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  writeFileSync(file, bytes);
}

interface Truth {
  readonly settled: boolean;
}

/** Asks for every promise, and fails when one is answered with what was never true of it. */
async function look(
  file: string,
  seen: { right: number; refused: number; absent: number; notOpened: number },
  isTrue: (record: Truth) => boolean,
): Promise<void> {
  let engine: Engine;
  try {
    engine = await openEngine({ path: file, logger: new RecordingLogger() });
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnusableError);
    seen.notOpened++;
    return;
  }
  for (const answer of await engine.process(ids.map(get))) {
    if (answer.head.status === 404) seen.absent++;
    else if (answer.head.status !== 200) seen.refused++;
    else {
      seen.right++;
      const { promise } = answer.data as { promise: Record<string, unknown> };
      const id = String(promise["id"]);
      const settled = promise["state"] === "resolved";
      const value = settled ? { data: `value of ${textOf(id)}` } : {};
      expect(promise).toMatchObject({ param: { data: textOf(id) }, tags: { k: id }, value });
      expect(isTrue({ settled })).toBe(true);
    }
  }
  await engine.close();
}
