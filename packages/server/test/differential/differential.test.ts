import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Outgoing } from "../../src/core/records.ts";
import type { Step } from "../../src/core/step.ts";
import { execute } from "../../src/engine/execute.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import type { Store } from "../../src/stores/store.ts";
import { emptyPostgres } from "../support/every-store.ts";
import { type Answer, Oracle, RETRY_MS } from "./oracle.ts";
import { Random } from "./random.ts";
import { type Generated, generate, IDS } from "./requests.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const operations = Number(process.env["OPERATIONS"] ?? 12_000);
/** Operations on one set of ids, from an empty store. */
const EPISODE = 80;
/** Most requests of one transaction. */
const BATCH_MAX = 6;

/** What is due is done in so many rounds: one, and one for what became due by it. */
const ROUNDS_MAX = 3;

/** Every status that the protocol documents for a kind. */
const DOCUMENTED: Readonly<Record<string, readonly number[]>> = {
  "promise.get": [200, 400, 404],
  "promise.create": [200, 400],
  "promise.settle": [200, 400, 404],
  "promise.register_callback": [200, 400, 404, 422],
  "promise.register_listener": [200, 400, 404, 422],
  "promise.search": [200, 400],
  "task.get": [200, 400, 404],
  "task.create": [200, 400, 409, 422],
  "task.acquire": [200, 400, 404, 409],
  "task.fence": [200, 400, 404, 409],
  "task.heartbeat": [200, 400],
  "task.suspend": [200, 300, 400, 404, 409, 422],
  "task.fulfill": [200, 400, 404, 409],
  "task.release": [200, 400, 404, 409],
  "task.halt": [200, 400, 404, 409],
  "task.continue": [200, 400, 404, 409],
  "task.search": [200, 400],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resonate-differential-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Gives an empty store for each episode. */
const STORES: readonly (readonly [string, (at: number) => Store | Promise<Store>])[] = [
  ["memory", () => new MemoryStore()],
  [
    "sqlite",
    (at: number) => new SqliteStore({ path: join(folder, `${at}.db`), synchronous: "normal" }),
  ],
  ["postgres", () => emptyPostgres()],
];

test.each(STORES)(
  `%s: ${operations} random operations have the answers, messages and states of the protocol (SEED=${seed})`,
  async (_, open) => {
    const random = new Random(seed);
    const seen = new Map<string, Set<number>>();
    for (let done = 0; done < operations; ) {
      const episode = new Episode(await open(done), random, done);
      done += await episode.run(Math.min(EPISODE, operations - done), seen);
    }

    if (operations >= 10_000) expect(sorted(seen)).toEqual(DOCUMENTED);
  },
  3_600_000,
);

/** The server and the oracle side by side, from an empty store. */
class Episode {
  readonly #random: Random;
  readonly #first: number;
  readonly #oracle = new Oracle();
  readonly #store: Store;
  readonly #log: unknown[] = [];

  constructor(store: Store, random: Random, first: number) {
    this.#store = store;
    this.#random = random;
    this.#first = first;
    this.#oracle.now = 1_000;
  }

  async run(operations: number, seen: Map<string, Set<number>>): Promise<number> {
    let done = 0;
    while (done < operations) {
      await this.#pass();
      const batch = await this.#batch(1 + this.#random.below(BATCH_MAX));
      for (const { kind, status } of batch) {
        seen.set(kind, (seen.get(kind) ?? new Set()).add(status));
      }
      done += batch.length;
      if (this.#random.chance(0.2)) await this.#compareStates();
    }
    await this.#compareStates();
    await this.#store.close();
    return done;
  }

  /** Time passes; what is due may be done, or lag behind. */
  async #pass(): Promise<void> {
    this.#oracle.now += this.#random.pick([0, 0, 0, 1, 2, 7, 60, 700, RETRY_MS, 60_000]);
    if (this.#random.chance(0.3)) return;
    this.#log.push({ tick: this.#oracle.now });
    this.#oracle.tick();
    const sent: Outgoing[] = [];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { steps } = await this.#store.due(this.#oracle.now, 1_000);
      if (steps.length > 0) sent.push(...(await this.#execute(steps)).messages);
    }
    const { steps: left } = await this.#store.due(this.#oracle.now, 1_000);
    this.#same({ left }, { left: [] });
    this.#same({ sent: shown(sent) }, { sent: this.#oracle.takeMessages() });
  }

  /** Requests in one transaction. */
  async #batch(size: number): Promise<{ kind: string; status: number }[]> {
    const expected: Answer[] = [];
    const steps: Step[] = [];
    const requests: Generated[] = [];
    for (let count = 0; count < size; count++) {
      const request = generate(this.#random, this.#oracle);
      this.#log.push({ at: this.#oracle.now, ...request });
      const parsed = parse(request);
      this.#same({ refused: !parsed.ok }, { refused: request.broken ?? false });
      requests.push(request);
      if (!parsed.ok) continue;
      expected.push(this.#oracle.ask(request.kind, request.data, request.preload));
      steps.push(parsed.request as Step); // Every request is a step of its kind.
    }
    const { answers, messages } = await this.#execute(steps);
    this.#same(
      { answers: answers.map((answer) => comparable(answer)), sent: shown(messages) },
      { answers: JSON.parse(JSON.stringify(expected)), sent: this.#oracle.takeMessages() },
    );
    const statuses = expected.values();
    return requests.map(({ kind, broken }) => ({
      kind,
      status: broken ? 400 : (statuses.next().value?.status ?? 0),
    }));
  }

  /** Takes steps in one transaction; every notice is delivered at once. */
  async #execute(steps: readonly Step[]) {
    const settings = { retryTimeoutMs: RETRY_MS };
    const executed = await execute(this.#store, steps, this.#oracle.now, settings);
    const notified = executed.messages.flatMap((message): Step[] => {
      if (message.kind !== "unblock") return [];
      const { address, promise } = message;
      return [{ kind: "promise.notified", data: { awaited: promise.id, address } }];
    });
    await execute(this.#store, notified, this.#oracle.now, settings);
    return executed;
  }

  async #compareStates(): Promise<void> {
    const requests = IDS.flatMap((id) => [
      { kind: "promise.get", data: { id } },
      { kind: "task.get", data: { id } },
    ]);
    const steps = requests.map((request) => {
      const parsed = parse(request);
      if (!parsed.ok) throw new Error(parsed.message);
      return parsed.request as Step; // As above.
    });
    const { answers } = await this.#execute(steps);
    const expected = requests.map(({ kind, data }) => this.#oracle.ask(kind, data));
    this.#same(
      { states: answers.map((answer) => comparable(answer)) },
      { states: JSON.parse(JSON.stringify(expected)) },
    );
  }

  /** Fails with all that led here. */
  #same(ours: object, theirs: object): void {
    if (JSON.stringify(canonical(ours)) === JSON.stringify(canonical(theirs))) return;
    const where = { seed, firstOperation: this.#first, log: this.#log };
    expect({ ...where, ...ours }).toEqual({ ...where, ...theirs });
    throw new Error(`differs: ${JSON.stringify(where)}`);
  }
}

function parse({ kind, data, preload }: Generated) {
  const head = {
    corrId: "c",
    version: PROTOCOL_VERSION,
    ...(preload && { "resonate:preload": preload }),
  };
  return parseRequest({ kind, head, data });
}

/** An answer without what is left open: the words of refusals, and the spelling of cursors. */
function comparable(answer: unknown): unknown {
  const { head, data } = JSON.parse(JSON.stringify(answer));
  if (typeof data === "string") return { status: head.status };
  if (typeof data.action?.data === "string") data.action.data = "text";
  delete data.cursor;
  return { status: head.status, data };
}

/** The messages of the protocol. Revocations are an addition of ours, tested in `engine/deliver.test.ts`. */
function shown(messages: readonly Outgoing[]): string[] {
  return messages.flatMap((message) => shownOne(message) ?? []).sort();
}

function shownOne(message: Outgoing): string | undefined {
  switch (message.kind) {
    case "execute":
      return `execute ${message.task.id} ${message.task.version} to ${message.address}`;
    case "unblock":
      return `unblock ${message.promise.id} ${message.promise.state} to ${message.address}`;
    case "revoke":
      return undefined;
  }
}

/** The same with the names of every object in order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, canonical(part)]));
}

function sorted(seen: ReadonlyMap<string, ReadonlySet<number>>) {
  return Object.fromEntries(
    [...seen].map(([kind, statuses]) => [kind, [...statuses].sort((a, b) => a - b)]),
  );
}
