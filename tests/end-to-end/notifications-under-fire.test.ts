/** One event to many, by several processes and a server, any of which is killed at any time, to providers that fail. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Sandbox,
  sampleRecipient,
  startSandbox,
} from "../../apps/fan-out-notifications/src/sandbox.ts";
import type { Asked, Fault } from "../../apps/fan-out-notifications/src/sandbox-desk.ts";
import type { Received } from "../../apps/fan-out-notifications/src/sandbox-ledger.ts";
import { accountsEnv } from "../../apps/fan-out-notifications/test/accounts-env.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";

/** The longest that it may take, in ms; on an idle machine it takes a tenth of that. */
const PATIENCE_MS = 240_000;
const WORKERS = 3;
const RECIPIENTS = 400;
/** Recipients that one process may have under way, each with a message per personal channel. */
const CONCURRENCY = 24;
const PERSONAL = ["email", "sms", "push"];
const TEAM = ["slack", "webhook"];
const KILL_WORKER_EVERY_MS = 3_000;
/** The first one early, so that there is one on a fast machine, too. */
const KILL_SERVER_AFTER_MS = [5_000, 25_000, 45_000, 65_000, 85_000];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "notifications-fire-"));
});
afterEach(async () => {
  await stopPrograms();
  rmSync(folder, { recursive: true, force: true });
});

test("whatever is killed, everybody is told over every channel, each by one key", {
  timeout: PATIENCE_MS,
}, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const random = randomOf(seed);
  const sandbox = await startSandbox({
    path: join(folder, "providers.jsonl"),
    faults: ({ channel }: Asked, attempt: number) =>
      attempt > 2 ? undefined : faultOf(random(), channel === "email" ? 451 : 503),
  });
  const fire = new Fire(folder, sandbox, random);
  try {
    await fire.start();
    await fire.untilDone();
  } finally {
    await fire.stop();
  }
  const received = sandbox.received;
  await sandbox.close();

  const told = `SEED=${seed}, ${fire.workerKills} processes and ${fire.serverKills} servers killed`;
  expect(fire.workerKills, told).toBeGreaterThan(1);
  expect(fire.serverKills, told).toBeGreaterThan(0);
  const messages = RECIPIENTS * PERSONAL.length + TEAM.length;
  const byMessage = Map.groupBy(received, ({ channel, to }) => `${channel} ${to}`);
  expect(byMessage.size, told).toBe(messages);
  const wrong = [...byMessage].filter(
    ([, requests]) =>
      new Set(requests.map(({ key }) => key)).size !== 1 || deliveries(requests) !== 1,
  );
  expect(wrong, told).toEqual([]);
  // A request is made again where it was refused or cut, or where a kill came before its record.
  const unexplained = [...byMessage.values()].reduce(
    (sum, requests) => sum + needless(requests),
    0,
  );
  const underWay = CONCURRENCY * PERSONAL.length + TEAM.length;
  const kills = fire.workerKills + fire.serverKills * WORKERS;
  expect(unexplained, told).toBeLessThanOrEqual(kills * underWay);
  const outcomes = readFileSync(join(folder, "fire.jsonl"), "utf8").trim().split("\n");
  expect(outcomes.filter((line) => JSON.parse(line).outcome === "delivered").length, told).toBe(
    messages,
  );
});

function deliveries(requests: readonly Received[]): number {
  return requests.filter(({ did }) => did === "delivered").length;
}

/** Repeated requests beyond those that followed one whose answer was cut off. */
function needless(requests: readonly Received[]): number {
  const repeated = requests.filter(({ did }) => did === "repeated").length;
  const cut = requests.filter((one) => one.cut).length;
  return Math.max(0, repeated - cut);
}

/** Of a hundred requests, five are cut, two hang, and four are refused for now. */
function faultOf(chance: number, later: number): Fault | undefined {
  if (chance < 0.05) return { kind: "cut" };
  if (chance < 0.07) return { kind: "hang" };
  return chance < 0.11 ? { kind: "refuse", status: later, retryAfter: 1 } : undefined;
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

/** A server and processes that notify, and what kills them. */
class Fire {
  workerKills = 0;
  serverKills = 0;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #random: () => number;
  readonly #list: string;
  readonly #ended = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  readonly #workers = new Map<number, Program>();
  #server: Program | undefined;
  #url = "";
  #fires: readonly Promise<void>[] = [];

  constructor(folder: string, sandbox: Sandbox, random: () => number) {
    this.#folder = folder;
    this.#env = accountsEnv(sandbox);
    this.#random = random;
    this.#list = join(folder, "list.jsonl");
    const people = Array.from({ length: RECIPIENTS }, (_, at) => {
      const { push, ...person } = sampleRecipient(at);
      const endpoint = `${sandbox.push.url}/push/${person.id}`;
      return JSON.stringify({ ...person, push: { ...push, endpoint } });
    });
    writeFileSync(this.#list, people.join("\n"));
  }

  async start(): Promise<void> {
    await this.#startServer("0");
    for (let slot = 0; slot < WORKERS; slot++) this.#startWorker(slot);
    this.#fires = [this.#burnWorkers(), this.#burnServers()];
    for (const fire of this.#fires) fire.catch((error) => this.#done.reject(error));
  }

  /** Until one of the processes says that everybody has been told. */
  untilDone(): Promise<void> {
    return this.#done.promise;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#fires);
  }

  async #startServer(port: string): Promise<void> {
    const path = join(this.#folder, "server.db");
    const args = ["dev", "--server-port", port, "--storage-sqlite-path", path];
    this.#server = new Program({ entry: "packages/cli/src/main.ts", args });
    this.#url = /http:\S+/.exec((await this.#server.line(/listens on/)).text)?.[0] ?? "";
  }

  #startWorker(slot: number): void {
    const all = (value: number) =>
      [...PERSONAL, ...TEAM].map((channel) => `${channel}=${value}`).join(",");
    const args = [
      ...["--order", "fire", "--server", this.#url, "--data", this.#folder],
      ...["--recipients", this.#list, "--channels", [...PERSONAL, ...TEAM].join(",")],
      ...["--concurrency", String(CONCURRENCY), "--timeout-ms", all(4_000), "--rate", all(1_000)],
    ];
    const entry = "apps/fan-out-notifications/src/main.ts";
    const worker = new Program({ entry, args, env: this.#env });
    this.#workers.set(slot, worker);
    void worker.exited.then((code) => {
      if (code === 0) this.#done.resolve();
      else if (code !== "SIGKILL") {
        const said = worker.lines.map(({ text }) => text).join("\n");
        this.#done.reject(new Error(`A process ended with ${code}: ${said}`));
      }
    });
  }

  async #burnWorkers(): Promise<void> {
    while (await this.#pause(KILL_WORKER_EVERY_MS)) {
      const slot = Math.floor(this.#random() * WORKERS);
      const worker = this.#workers.get(slot);
      worker?.kill("SIGKILL");
      this.workerKills++;
      await worker?.exited;
      this.#startWorker(slot);
    }
  }

  async #burnServers(): Promise<void> {
    let passed = 0;
    for (const at of KILL_SERVER_AFTER_MS) {
      if (!(await this.#pause(at - passed))) return;
      passed = at;
      this.#server?.kill("SIGKILL");
      this.serverKills++;
      await this.#server?.exited;
      await this.#startServer(new URL(this.#url).port);
    }
  }

  /** Whether the fire goes on after that time. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await setTimeout(ms, undefined, { signal: this.#ended.signal });
      return true;
    } catch {
      return false;
    }
  }
}
