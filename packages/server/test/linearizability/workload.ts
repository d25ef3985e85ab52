/** Random requests about one tree, by clients that know of each other only what answers told them. */
import type { Answer } from "../differential/oracle.ts";
import type { Random } from "../differential/random.ts";
import type { Operation } from "./history.ts";

type Asked = Pick<Operation, "kind" | "data" | "preload">;

/** Far beyond the end of every history. */
const FOREVER = 9_000_000_000_000;
const TTL = 1_000_000_000;
const CHILDREN = ["", ":0", ":1", ":2"] as const;
const STATES = ["resolved", "rejected", "rejected_canceled"] as const;
const TARGET = "poll://any@nobody";

/** Requests that make sense by what has been answered so far. */
export class Workload {
  readonly #random: Random;
  readonly #origin: string;
  readonly #ids: readonly string[];
  /** The last version of each task that anyone was told. */
  readonly #versions = new Map<string, number>();
  #values = 0;

  constructor(random: Random, origin: string) {
    this.#random = random;
    this.#origin = origin;
    this.#ids = CHILDREN.map((child) => `${origin}${child}`);
  }

  next(pid: string): Asked {
    const random = this.#random;
    const id = random.pick(this.#ids);
    const version = this.#versions.get(id) ?? 0;
    const kinds: readonly (readonly [number, () => Asked])[] = [
      [5, () => ({ kind: "promise.create", data: this.#create(id) })],
      [3, () => ({ kind: "promise.get", data: { id } })],
      [2, () => ({ kind: "promise.settle", data: this.#settle(id) })],
      [2, () => ({ kind: "task.get", data: { id } })],
      [3, () => this.#preloaded("task.create", this.#claimedCreate(id, pid))],
      [8, () => this.#preloaded("task.acquire", { id, version, pid, ttl: TTL })],
      [4, () => this.#preloaded("task.fence", { id, version, action: this.#inner(id) })],
      [6, () => this.#preloaded("task.suspend", this.#suspend(id, version))],
      [1, () => ({ kind: "task.fulfill", data: this.#fulfill(id, version) })],
      [3, () => ({ kind: "task.release", data: { id, version } })],
      [1, () => ({ kind: "task.halt", data: { id } })],
      [2, () => ({ kind: "task.continue", data: { id } })],
      [1, () => ({ kind: "task.heartbeat", data: { pid, tasks: [{ id, version }] } })],
      [2, () => ({ kind: "promise.register_callback", data: this.#callback(id) })],
      [1, () => ({ kind: "promise.search", data: this.#search() })],
    ];
    const lottery = kinds.flatMap(([weight, make]) => Array<() => Asked>(weight).fill(make));
    return random.pick(lottery)();
  }

  /** Takes over what an answer tells. */
  learn(answer: Answer | undefined): void {
    const task = answer?.data?.task;
    if (task) this.#versions.set(task.id, task.version);
  }

  #preloaded(kind: string, data: unknown): Asked {
    const preload = this.#random.pick(["all", "none", "delta"] as const);
    return { kind, data, ...(preload !== "all" && { preload }) };
  }

  #other(id: string): string {
    return this.#random.pick(this.#ids.filter((one) => one !== id));
  }

  #create(id: string) {
    const kind = this.#random.pick([
      { "resonate:target": TARGET },
      { "resonate:target": TARGET },
      { "resonate:scope": "global" },
      { "resonate:scope": "local" },
    ]);
    const lineage = { "resonate:origin": this.#origin, "resonate:branch": this.#origin };
    return { id, timeoutAt: FOREVER, param: {}, tags: { ...kind, ...lineage } };
  }

  #claimedCreate(id: string, pid: string) {
    const created = this.#create(id);
    const data = { ...created, tags: { ...created.tags, "resonate:target": TARGET } };
    return { pid, ttl: TTL, action: { kind: "promise.create", head: {}, data } };
  }

  /** Every value is another one, so that it shows who settled. */
  #settle(id: string) {
    const state = this.#random.pick(STATES);
    return { id, state, value: { data: `v${this.#values++}` } };
  }

  #inner(id: string) {
    const other = this.#other(id);
    return this.#random.chance(0.5)
      ? { kind: "promise.create", data: this.#create(other) }
      : { kind: "promise.settle", data: this.#settle(other) };
  }

  #suspend(id: string, version: number) {
    const action = (awaited: string) => ({
      kind: "promise.register_callback",
      data: { awaited, awaiter: id },
    });
    const awaited = new Set([this.#other(id), this.#other(id)]);
    return { id, version, actions: [...awaited].map(action) };
  }

  #fulfill(id: string, version: number) {
    return { id, version, action: { kind: "promise.settle", data: this.#settle(id) } };
  }

  #callback(awaiter: string) {
    return { awaited: this.#other(awaiter), awaiter };
  }

  #search() {
    return { tags: { "resonate:origin": this.#origin }, limit: 1_000 };
  }
}
