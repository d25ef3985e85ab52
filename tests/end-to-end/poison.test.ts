/**
 * Work that harms its processes is stopped, and the work beside it is done. `POISON=all` is the long lane: a function that
 * never gives the processor back and one that takes all memory too, beside 1,000 healthy tasks.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Never, Resonate, silentLogger } from "@resonate-ts/sdk";
import { type RunningServer, readSettings, serve } from "@resonate-ts/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

const all = process.env.POISON === "all";
const HARMFUL = all ? ["exits", "loops", "hoards"] : ["exits"];
const HEALTHY = all ? 1_000 : 200;
const WORKERS = 2;
/** How often a task may take its processes down. */
const LOSSES_MAX = 5;
/** A worker that says nothing for so long is taken for stuck and killed, in ms. */
const STUCK_MS = 3_000;
const PATIENCE_MS = all ? 600_000 : 120_000;

/** Keeps one worker running, as whatever runs a service does. */
class Supervisor {
  deaths = 0;
  readonly #url: string;
  readonly #args: readonly string[];
  #worker: Program | undefined;
  #stopping = false;

  constructor(url: string, ...args: readonly string[]) {
    this.#url = url;
    this.#args = args;
    this.#start();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#worker?.stop();
  }

  #start(): void {
    let watch: NodeJS.Timeout | undefined;
    const worker = new Program({
      entry: "tests/end-to-end/poison-worker.ts",
      args: this.#args,
      env: { RESONATE_URL: this.#url, NODE_OPTIONS: "--max-old-space-size=256" },
      onLine: () => {
        clearTimeout(watch);
        watch = setTimeout(() => worker.kill("SIGKILL"), STUCK_MS);
      },
    });
    this.#worker = worker;
    void worker.exited.then(() => {
      clearTimeout(watch);
      if (this.#stopping) return;
      this.deaths += 1;
      this.#start();
    });
  }
}

let server: RunningServer;
let client: Resonate;
let supervisors: Supervisor[] = [];
beforeEach(async () => {
  const flags = { "server.port": "0", "storage.type": "memory", level: "error" };
  server = await serve(readSettings({ flags }));
  const logger = silentLogger;
  client = new Resonate({ url: server.url, group: "clients", defaultTarget: "poison", logger });
});
afterEach(async () => {
  await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
  await stopPrograms();
  await client.stop();
  await server.close();
});

test(`${HARMFUL.join(", ")} are halted with their cause, and ${HEALTHY} healthy tasks are done meanwhile`, {
  timeout: PATIENCE_MS,
}, async () => {
  const once = client.options({ retryPolicy: new Never() });
  const harmful = await Promise.all(HARMFUL.map((fn) => client.beginRpc<string>(fn, fn)));
  const odd = ["throwsText", "throwsNothing", "rejectsTwice", "returnsFunction"].map((fn) =>
    client.rpc(fn, fn, once).then(
      () => "resolved",
      (error: unknown) => (error instanceof Error ? error.message : error),
    ),
  );
  const healthy = Array.from({ length: HEALTHY }, (_, n) => {
    return client.rpc<number>(`honest-${n}`, "honest", n);
  });

  supervisors = Array.from({ length: WORKERS }, () => new Supervisor(server.url));

  expect(await Promise.all(healthy)).toEqual(Array.from({ length: HEALTHY }, (_, n) => n + 2));
  expect(await Promise.all(odd)).toEqual([
    "no error at all",
    undefined,
    "the first reason",
    expect.stringContaining("cannot be stored"),
  ]);
  for (const id of HARMFUL) {
    expect((await halted(id)).cause).toContain("The processes that ran it were lost");
  }
  const deaths = supervisors.reduce((sum, supervisor) => sum + supervisor.deaths, 0);
  expect(deaths).toBeGreaterThanOrEqual(LOSSES_MAX);
  expect(deaths).toBeLessThanOrEqual(LOSSES_MAX * HARMFUL.length);

  await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
  supervisors = [new Supervisor(server.url, "--mended")];
  for (const id of HARMFUL) await client.tasks.continue(id);

  const mended = await Promise.all(harmful.map((handle) => handle.result()));
  expect(mended).toEqual(HARMFUL.map(() => "mended"));
});

async function halted(id: string) {
  for (;;) {
    const task = await client.tasks.get(id);
    if (task.state === "halted") return task;
    await wait(100);
  }
}
