import { afterEach, expect, test } from "vitest";
import { StoreUnavailableError } from "../../src/stores/store.ts";
import { Random } from "../differential/random.ts";
import {
  calls,
  fulfill,
  global,
  Lab,
  NOW,
  suspend,
  targeted,
  type Worker,
} from "../support/lab.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const EPISODES = 15;
const OPERATIONS = 120;
/** How soon after healing every task has run, in ms: what was lost is taken back, and offered again, once each. */
const HEALED_MS = 6_000;

let lab: Lab | undefined;
afterEach(() => lab?.close());

/** A worker that may lose what it is sent, and that asks for nothing itself until it is healed. */
class Unreliable {
  readonly slots: number;
  readonly pid: string;
  readonly #lab: Lab;
  #stream: Worker;
  readonly #held = new Map<string, number>();

  constructor(lab: Lab, pid: string, slots: number) {
    this.#lab = lab;
    this.pid = pid;
    this.slots = slots;
    this.#stream = this.#connect();
  }

  #connect(): Worker {
    return this.#lab.connect("g", this.pid, { graceMs: 1_000 });
  }

  announce() {
    const { pid, slots } = this;
    const functions = { f: [1] };
    return this.#lab.ask("worker.announce", { group: "g", pid, ttl: 20_000, slots, functions });
  }

  async reconnect(): Promise<void> {
    this.#stream.disconnect();
    this.#stream = this.#connect();
    await this.announce();
  }

  set accepts(accepts: boolean) {
    this.#stream.accepts = accepts;
  }

  /** Takes notice of what it was sent; of some of it only, if it loses messages. */
  async receive(keeps: () => boolean): Promise<void> {
    for (const { kind, data } of this.#stream.messages.splice(0)) {
      if (kind !== "execute" || !("promise" in data) || !keeps()) continue;
      this.#held.set(data.task.id, data.task.version);
    }
    const tasks = [...this.#held].map(([id, version]) => ({ id, version }));
    if (tasks.length > 0) await this.#lab.ask("task.heartbeat", { pid: this.pid, tasks });
  }

  async end(how: "fulfill" | "release" | "suspend", awaited: string): Promise<void> {
    const [held] = this.#held;
    if (!held) return;
    const [id, version] = held;
    this.#held.delete(id);
    const data =
      how === "fulfill"
        ? fulfill(id, version)
        : how === "suspend"
          ? suspend(id, version, awaited)
          : { id, version };
    await this.#lab.ask(`task.${how}`, data);
  }

  /** Does all that it is asked for, at once. */
  async work(): Promise<void> {
    for (const { kind, data } of this.#stream.messages.splice(0)) {
      if (kind !== "execute") continue;
      const { id, version } = data.task;
      if ("promise" in data) this.#held.set(id, version);
      else {
        const claim = { id, version, pid: this.pid, ttl: 20_000 };
        const { status } = await this.#lab.ask("task.acquire", claim);
        if (status === 200) this.#held.set(id, version + 1);
      }
    }
    for (const [id, version] of this.#held)
      await this.#lab.ask("task.fulfill", fulfill(id, version));
    this.#held.clear();
  }
}

async function check(current: Lab, workers: readonly Unreliable[]): Promise<void> {
  const { tasks } = await current.ok("task.search", { state: "acquired", limit: 1_000 });
  for (const { pid, slots } of workers) {
    const held = tasks.filter((task: { pid: string }) => task.pid === pid);
    expect(held.length, `tasks of ${pid} (SEED=${SEED})`).toBeLessThanOrEqual(slots);
  }
}

async function episode(random: Random): Promise<void> {
  lab = await Lab.open();
  const current = lab;
  const workers = ["one", "two", "three"].map(
    (pid) => new Unreliable(current, pid, 1 + random.below(4)),
  );
  for (const worker of workers) await worker.announce();
  let made = 0;
  const create = () =>
    current.ask("promise.create", {
      id: `t${made++}`,
      timeoutAt: NOW + 10 ** 9,
      tags: targeted,
      param: calls("f"),
    });
  const awaited = (at: number) => `w${at}`;
  for (let at = 0; at < 5; at++)
    await current.create(awaited(at), { tags: global, timeoutAt: NOW + 10 ** 9 });

  for (let at = 0; at < OPERATIONS; at++) {
    const worker = random.pick(workers);
    const choice = random.below(12);
    if (choice < 4) await create();
    else if (choice < 6) await worker.receive(() => random.below(5) > 0);
    else if (choice < 8)
      await worker.end(random.pick(["fulfill", "release", "suspend"]), awaited(random.below(5)));
    else if (choice === 8) await current.advance(random.below(3_000));
    else if (choice === 9) await worker.reconnect();
    else if (choice === 10) worker.accepts = random.below(2) > 0;
    else {
      let fails = 1;
      current.store.beforeCommit = () => {
        if (fails-- > 0) throw new StoreUnavailableError("full");
      };
      await create();
      current.store.beforeCommit = () => {};
    }
    await check(current, workers);
  }

  for (let at = 0; at < 5; at++)
    await current.ask("promise.settle", { id: awaited(at), state: "resolved" });
  for (const worker of workers) worker.accepts = true;
  const left = async () => {
    const found = await current.ok("task.search", { limit: 1_000 });
    return found.tasks.filter((task: { state: string }) => task.state !== "fulfilled");
  };
  const healedAt = current.now;
  while ((await left()).length > 0 && current.now - healedAt < HEALED_MS) {
    for (const worker of workers) await worker.work();
    await current.advance(1_000);
  }
  expect(await left(), `SEED=${SEED}`).toEqual([]);
  await current.close();
  lab = undefined;
}

test(`workers that lose messages, streams and buffers are never given more than their slots, and all is done in the end (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  for (let at = 0; at < EPISODES; at++) await episode(random);
}, 180_000);
