/**
 * Nobody is reached for ten seconds: when they can be again, runs go on within two seconds, and listeners hear within the
 * retry time-out (R12). `RUNS=1000` is the long run.
 */
import { expect, test } from "vitest";
import {
  global,
  type Lab,
  NOW,
  onEveryStore,
  RETRY_MS,
  suspend,
  type Worker,
} from "../support/lab.ts";

const OUTAGE_MS = 10_000;
const HEALED_MS_MAX = 2_000;
const RUNS = Number(process.env["RUNS"] ?? 200);
const WORKERS = 20;

const ids = Array.from({ length: RUNS }, (_, at) => `run${at}`);

/** Suspended runs, each of which awaits a promise that a client wants to hear of. */
async function suspended(lab: Lab): Promise<void> {
  const all = async (kind: string, dataOf: (id: string) => unknown) => {
    const answers = await lab.askAll(ids.map((id) => ({ kind, data: dataOf(id) })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  };
  const timeoutAt = NOW + 3_600_000;
  const tags = { "resonate:target": "poll://any@g" };
  await all("task.create", (id) => {
    const data = { id, timeoutAt, tags };
    return { pid: "p1", ttl: 600_000, action: { kind: "promise.create", data } };
  });
  await all("promise.create", (id) => ({ id: `${id}-awaited`, timeoutAt, tags: global }));
  await all("promise.register_listener", (id) => ({
    awaited: `${id}-awaited`,
    address: "poll://uni@clients/client",
  }));
  await all("task.suspend", (id) => suspend(id, 1, `${id}-awaited`));
}

const settleAll = (lab: Lab) =>
  lab.askAll(
    ids.map((id) => ({
      kind: "promise.settle",
      data: { id: `${id}-awaited`, state: "resolved" },
    })),
  );

const connect = (lab: Lab) => ({
  workers: Array.from({ length: WORKERS }, (_, at) => lab.connect("g", `w${at}`)),
  client: lab.connect("clients", "client"),
});

/** Claims what it is offered, so that there is room for more, until everybody has heard or the time is over. */
async function hear(lab: Lab, { workers, client }: ReturnType<typeof connect>) {
  const offered = new Set<string>();
  const told = new Set<string>();
  for (let ms = 0; ms <= HEALED_MS_MAX; ms += 100) {
    const messages = workers.flatMap((worker: Worker) => worker.take());
    const names = messages.map((message) => message.split(" ")[1] ?? "");
    for (const id of names) offered.add(id);
    await lab.askAll(
      names.map((id) => ({
        kind: "task.acquire",
        data: { id, version: 1, pid: "w0", ttl: 600_000 },
      })),
    );
    for (const message of client.take()) told.add(message);
    if (offered.size === RUNS && told.size === RUNS) break;
    await lab.advance(100);
  }
  const inTime = offered.size;
  for (let ms = HEALED_MS_MAX; ms < RETRY_MS && told.size < RUNS; ms += 1_000) {
    await lab.advance(1_000);
    for (const message of client.take()) told.add(message);
  }
  return { offered: inTime, told: told.size };
}

onEveryStore("lost wake-ups", (lab) => {
  test(`${RUNS} runs go on, and their listeners hear, when connections take messages again`, async () => {
    await suspended(lab());
    const connected = connect(lab());
    const all = [...connected.workers, connected.client];
    for (const one of all) one.accepts = false;
    await settleAll(lab());
    await lab().advance(OUTAGE_MS);
    expect(all.flatMap((one) => one.take())).toEqual([]);

    for (const one of all) one.accepts = true;

    expect(await hear(lab(), connected)).toEqual({ offered: RUNS, told: RUNS });
  }, 60_000);

  test(`${RUNS} runs go on, and their listeners hear, when they connect again`, async () => {
    await suspended(lab());
    await settleAll(lab());
    await lab().advance(OUTAGE_MS);

    expect(await hear(lab(), connect(lab()))).toEqual({ offered: RUNS, told: RUNS });
  }, 60_000);
});
