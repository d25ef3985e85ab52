/** Sixteen processes want the same tasks, through a network that repeats and reorders what they ask (R9). */
import { afterEach, expect, test } from "vitest";
import { Random } from "../differential/random.ts";
import { check } from "./checker.ts";
import type { Operation } from "./history.ts";
import { type Network, startNetwork } from "./network.ts";
import { HttpClient, RealServer } from "./real-server.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const TASKS = Number(process.env["TASKS"] ?? 100);
const CLIENTS = 16;
/** Requests of each client. */
const ROUNDS = 40;
const FOREVER = 9_000_000_000_000;
const TTL = 1_000_000_000;

let server: RealServer | undefined;
let network: Network | undefined;
afterEach(async () => {
  await network?.close();
  await server?.close();
});

test(`a version of a task is claimed once, whatever the network repeats (SEED=${seed})`, async () => {
  const random = new Random(seed);
  server = await RealServer.start("sqlite");
  network = await startNetwork(server.url, random);
  const race = new Race(random, network);
  await race.prepare();

  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => race.run(`p${client}`)));
  await network.close();

  const { history, faults } = network;
  expect(faults).toBe(0);
  expect(claimedTwice(history)).toEqual([]);
  const byTask = Map.groupBy(history, ({ data }) => originOf(data));
  const verdicts = [...byTask].map(([task, operations]) => [task, check(operations)]);
  expect(verdicts.filter(([, verdict]) => verdict === "not linearizable")).toEqual([]);
  const unknown = verdicts.filter(([, verdict]) => verdict === "inconclusive");
  expect(unknown.length).toBeLessThan(0.05 * TASKS);
  // They did race: there were claims, and claims refused.
  const claims = history.filter(({ kind }) => kind === "task.acquire");
  expect(new Set(claims.map(({ answer }) => answer?.status))).toEqual(new Set([200, 409]));
}, 600_000);

class Race {
  readonly #random: Random;
  readonly #url: string;
  /** The version of each task that anyone was told last. */
  readonly #versions = new Map<string, number>();

  constructor(random: Random, { url }: Network) {
    this.#random = random;
    this.#url = url;
  }

  /** The tasks, and for each a promise to suspend on. */
  async prepare(): Promise<void> {
    const http = new HttpClient();
    for (let task = 0; task < TASKS; task++) {
      const tags = { "resonate:target": "poll://any@nobody" };
      const wait = { "resonate:scope": "global" };
      await http.ask(this.#url, "promise.create", { id: `t${task}`, timeoutAt: FOREVER, tags });
      const awaited = { id: `t${task}:0`, timeoutAt: FOREVER, tags: wait };
      await http.ask(this.#url, "promise.create", awaited);
    }
    http.close();
  }

  /** Tasks in the same order for all, a few at a time, so that everybody meets everybody. */
  async run(pid: string): Promise<void> {
    const http = new HttpClient();
    for (let round = 0; round < ROUNDS; round++) {
      const id = `t${Math.floor((round * TASKS) / ROUNDS) + this.#random.below(Math.ceil(TASKS / ROUNDS))}`;
      const version = this.#versions.get(id) ?? 0;
      const claim = await http.ask(this.#url, "task.acquire", { id, version, pid, ttl: TTL });
      const held = claim?.data?.task?.version ?? version;
      this.#versions.set(id, Math.max(held, this.#versions.get(id) ?? 0));
      const [kind, data] = this.#next(id, held, pid);
      await http.ask(this.#url, kind, data);
    }
    http.close();
  }

  #next(id: string, version: number, pid: string): [string, object] {
    const settle = { id, state: "resolved", value: { data: pid } };
    const callback = { awaited: `${id}:0`, awaiter: id };
    const all: [string, object][] = [
      ["task.heartbeat", { pid, tasks: [{ id, version }] }],
      ["task.release", { id, version }],
      ["task.release", { id, version }],
      ["task.fulfill", { id, version, action: { kind: "promise.settle", data: settle } }],
      [
        "task.suspend",
        { id, version, actions: [{ kind: "promise.register_callback", data: callback }] },
      ],
      ["promise.settle", { id: `${id}:0`, state: "resolved", value: { data: pid } }],
    ];
    return this.#random.pick(all);
  }
}

/** Claims of one version that were both granted. */
function claimedTwice(history: readonly Operation[]): string[] {
  const granted = history.flatMap(({ kind, answer }) =>
    kind === "task.acquire" && answer?.status === 200
      ? [`${answer.data.task.id} ${answer.data.task.version}`]
      : [],
  );
  return granted.filter((claim, at) => granted.indexOf(claim) !== at);
}

/** The tree that a request is about; in this race that of one task. */
function originOf(data: { id?: string; tasks?: readonly { id: string }[] }): string {
  const id = data.id ?? data.tasks?.[0]?.id ?? "";
  return id.split(":")[0] ?? id;
}
