/** The power fails: what the disk was told to keep is there, and anything may have become of the rest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PROTOCOL_VERSION, type Request } from "@resonate-ts/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openEngine } from "../../src/index.ts";
import { Random } from "../differential/random.ts";
import { RecordingLogger } from "../support/logger.ts";
import { type DiskEvent, RecordedDisk, readRecording, recording } from "./recorded-disk.ts";
import { rounds, SEED } from "./seed.ts";
import { ServerProcess } from "./server-process.ts";
import { hasStrace } from "./strace.ts";

const strace = hasStrace();
/** Moments at which the power fails, of each recording. */
const CUTS = rounds(40);
/** Starts of the server, each of which ends by moving its log into the database. */
const LIVES = 3;
const PROMISES = 12;

let folder: string;
let path: string;
let server: ServerProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-power-"));
  path = join(folder, "resonate.db");
});
afterEach(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

const ids = Array.from({ length: LIVES * PROMISES }, (_, at) => `p${at}`);
const textOf = (id: string) => `${id} `.repeat(300);
/** What is asked, one after the other: each promise is created, and then resolved. */
const asked = ids.flatMap((id) => [
  { kind: "promise.create", data: { id, timeoutAt: 8e15, param: { data: textOf(id) } } },
  { kind: "promise.settle", data: { id, state: "resolved", value: { data: `value of ${id}` } } },
]);

test.skipIf(!strace).each(["full", "normal"] as const)(
  `after power loss at any of ${CUTS} moments a database that is synced %s is what it was (SEED=${SEED})`,
  async (synchronous) => {
    const events = await record(synchronous);
    const random = new Random(SEED);
    // Right after an answer is where what was promised is most easily lost.
    const answers = events.flatMap(({ kind }, at) => (kind === "answer" ? [at + 1] : []));
    const cuts = Array.from({ length: CUTS }, (_, at) =>
      at % 3 === 0 ? random.pick(answers) : random.below(events.length),
    ).sort((one, other) => one - other);
    const disk = new RecordedDisk();
    let lost = 0;
    let taken = 0;

    for (const [cut, at] of cuts.entries()) {
      for (; taken < at; taken++) disk.take(events[taken] as DiskEvent); // It is within them.
      const left = join(folder, `cut${cut}`);
      disk.fail(left, random);
      const found = await historyIn(join(left, "resonate.db"));

      // The one that was under way when the power failed may be there; nothing after it.
      expect(found).toBeLessThanOrEqual(disk.answers + 1);
      if (synchronous === "full")
        expect({ at, found }).toEqual({ at, found: atLeast(disk.answers) });
      else lost = Math.max(lost, disk.answers - found);
      rmSync(left, { recursive: true });
    }

    expect(disk.answers).toBeGreaterThan(asked.length / 2);
    // What makes the difference: without the syncs of `full` answers are lost, so the model can tell.
    if (synchronous === "normal" && CUTS >= 40) expect(lost).toBeGreaterThan(0);
  },
  60_000 + CUTS * 1_000,
);

function atLeast(least: number): unknown {
  return expect.toSatisfy((found: number) => found >= least);
}

/** The server lives several times and answers all that is asked, under a tool that writes down what it writes. */
async function record(synchronous: string): Promise<readonly DiskEvent[]> {
  const events: DiskEvent[] = [];
  for (let life = 0; life < LIVES; life++) {
    const log = join(folder, `log${life}`);
    const flags = ["--storage-sqlite-synchronous", synchronous];
    const running = await ServerProcess.start(path, recording(log), flags);
    server = running;
    const share = asked.length / LIVES;
    for (const { kind, data } of asked.slice(life * share, (life + 1) * share)) {
      expect(await running.ask(kind, data)).toMatchObject({ status: 200 });
    }
    await running.kill("SIGTERM");
    events.push(...readRecording(log, path));
  }
  return events;
}

/** How many of the requests are on record, in order; fails where the database is not sound, or has anything else. */
async function historyIn(database: string): Promise<number> {
  const engine = await openEngine({ path: database, logger: new RecordingLogger() });
  const head = { corrId: "c", version: PROTOCOL_VERSION };
  const gets = ids.map((id): Request => ({ kind: "promise.get", head, data: { id } }));
  const answers = await engine.process(gets);
  await engine.close();
  const done = answers.flatMap((answer, at) => {
    if (answer.head.status === 404) return [false, false];
    const id = ids[at] ?? "";
    expect(answer.head.status).toBe(200);
    const { promise } = answer.data as { promise: { state: string; value: object } }; // A get is answered so.
    const settled = promise.state === "resolved";
    const value = settled ? { data: `value of ${id}` } : {};
    expect(promise).toMatchObject({ id, param: { data: textOf(id) }, value });
    return [true, settled];
  });
  const count = done.lastIndexOf(true) + 1;
  expect(done.slice(0, count)).not.toContain(false);
  expect(integrity(database)).toBe("ok");
  return count;
}

function integrity(database: string): unknown {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    return db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  } finally {
    db.close();
  }
}
