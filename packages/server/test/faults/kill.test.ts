import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random } from "../differential/random.ts";
import { rounds, SEED } from "./seed.ts";
import { ServerProcess } from "./server-process.ts";

const ROUNDS = rounds(20);
const CLIENTS = 16;
/** A server works for at most this long before it is killed, in ms. */
const LIFE_MS_MAX = 400;
/** A server is ready within this time of its start, in ms, whatever the last one left. */
const READY_MS_MAX = 2_000;
/** Most promises that are looked up in one request. */
const BATCH = 500;

let folder: string;
let path: string;
let server: ServerProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-kill-"));
  path = join(folder, "resonate.db");
});
afterEach(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true });
});

/** What a client knows of a promise: the states it may be in, by what was answered and what was under way. */
type Known = Map<string, { readonly state: string; readonly value?: string }[]>;

test(
  `after kill -9 under load nothing that was answered is lost or changed, ${ROUNDS} times (SEED=${SEED})`,
  async () => {
    const random = new Random(SEED);
    const known: Known = new Map();
    let answered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const running = await ServerProcess.start(path);
      server = running;
      expect(await running.status("/ready")).toBe(200);
      // By the processor's clock: how long that takes by the wall's depends on what else the machine does.
      expect(running.processorMs).toBeLessThan(READY_MS_MAX);

      expect({ round, wrong: await wrong(running, known) }).toEqual({ round, wrong: [] });
      const clients = Array.from({ length: CLIENTS }, (_, at) =>
        work(running, `${round}-${at}`, known),
      );
      await sleep(50 + random.below(LIFE_MS_MAX));
      await running.kill();
      answered += (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);

      expect(integrity(path)).toBe("ok");
    }
    expect(answered).toBeGreaterThan(ROUNDS * CLIENTS);
  },
  ROUNDS * 10_000,
);

/** Runs and single promises, one after the other, until the server is gone. Gives how many requests were answered. */
async function work(to: ServerProcess, name: string, known: Known): Promise<number> {
  let answered = 0;
  const timeoutAt = Date.now() + 3_600_000;
  /** Asks for what, once answered, leaves `id` so; until then it may be so. */
  const change = async (id: string, kind: string, data: unknown, state: string, value?: string) => {
    const next = { state, ...(value !== undefined && { value }) };
    known.set(id, [...(known.get(id) ?? [{ state: "absent" }]), next]);
    const { status } = await to.ask(kind, data);
    if (status === 0) return false;
    expect({ id, kind, status }).toEqual({ id, kind, status: 200 });
    known.set(id, [next]);
    answered++;
    return true;
  };
  for (let at = 0; ; at++) {
    const id = `p${name}-${at}`;
    const root = `t${name}-${at}`;
    const child = `${root}:0`;
    const create = { id, timeoutAt, param: { data: id }, tags: {} };
    const settle = { id, state: "resolved", value: { data: `v${id}` } };
    const lineage = { "resonate:origin": root, "resonate:branch": root, "resonate:parent": root };
    const tags = { ...lineage, "resonate:target": "poll://any@g" };
    const claim = {
      pid: name,
      ttl: 60_000,
      action: { kind: "promise.create", head: {}, data: { id: root, timeoutAt, tags } },
    };
    const fence = {
      id: root,
      version: 1,
      action: { kind: "promise.create", head: {}, data: { id: child, timeoutAt, tags: lineage } },
    };
    const fulfil = {
      id: root,
      version: 1,
      action: {
        kind: "promise.settle",
        head: {},
        data: { id: root, state: "rejected", value: { data: `v${root}` } },
      },
    };
    const goesOn =
      (await change(id, "promise.create", create, "pending")) &&
      (await change(root, "task.create", claim, "pending")) &&
      (await change(id, "promise.settle", settle, "resolved", `v${id}`)) &&
      (await change(child, "task.fence", fence, "pending")) &&
      (await change(root, "task.fulfill", fulfil, "rejected", `v${root}`));
    if (!goesOn) return answered;
  }
}

/** What is not as it was answered. What was under way is fixed from here on as it is found. */
async function wrong(from: ServerProcess, known: Known): Promise<unknown[]> {
  const ids = [...known.keys()];
  const found: unknown[] = [];
  for (let first = 0; first < ids.length; first += BATCH) {
    const page = ids.slice(first, first + BATCH);
    const answers = await from.askAll(page.map((id) => ({ kind: "promise.get", data: { id } })));
    page.forEach((id, at) => {
      const { status, data } = answers[at] ?? { status: 0, data: undefined };
      const { state, value } = status === 200 ? data.promise : { state: "absent", value: {} };
      const may = known.get(id) ?? [];
      const is = may.find((one) => one.state === state && one.value === value.data);
      if (is) known.set(id, [is]);
      else found.push({ id, is: state, may });
    });
  }
  return found;
}

function integrity(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  } finally {
    db.close();
  }
}
