/**
 * An engine whose time a test moves. Timers and `Date` are fake, so a wait takes no time and nothing fires unless
 * the test says so; the databases and the commits are real.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Message,
  PROTOCOL_VERSION,
  type PromiseRecord,
  type Refusal,
  type RequestKind,
  type Response,
  type Tags,
  type TaskRecord,
} from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { afterEach, beforeEach, describe, vi } from "vitest";
import { steadyClock } from "../../src/engine/clock.ts";
import { GroupCommitEngine } from "../../src/engine/group-commit-engine.ts";
import { MemoryStore } from "../../src/stores/memory/memory-store.ts";
import { SqliteStore } from "../../src/stores/sqlite/sqlite-store.ts";
import type { Store } from "../../src/stores/store.ts";
import type { Pusher } from "../../src/transports/router.ts";
import { emptyPostgres, openPostgres } from "./every-store.ts";
import { RecordingLogger } from "./logger.ts";
import { WatchedStore } from "./watched-store.ts";

/** The instant at which every lab starts. */
export const NOW = 1_000_000;
/** More rounds of due steps than any test has. */
const ROUNDS_MAX = 5_000;
export const RETRY_MS = 30_000;
const RETRY_MAX_MS = 3_600_000;
export const SERVER_URL = "http://server.test";

/** An address of the group `g`. */
export const TARGET = "poll://any@g";
export const targeted: Tags = { "resonate:target": TARGET };
export const global: Tags = { "resonate:scope": "global" };
export const timer: Tags = { "resonate:timer": "true" };

export const STORES = ["memory", "file", "postgres"] as const;
export type StoreKind = (typeof STORES)[number];

interface LabOptions {
  readonly store?: StoreKind;
  readonly restartGraceMs?: number;
  readonly push?: Pusher;
  readonly retentionAgeMs?: number;
}

/** What came back, as a client reads it from the wire. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly data: any;
}

/** Runs `tests` on every store, each test in a lab of its own. */
export function onEveryStore(
  name: string,
  tests: (lab: () => Lab) => void,
  options: LabOptions = {},
): void {
  describe.each(STORES)(`${name} (%s)`, (store) => {
    let lab: Lab;
    beforeEach(async () => {
      lab = await Lab.open({ ...options, store });
    });
    afterEach(() => lab.close());
    tests(() => lab);
  });
}

export class Lab {
  readonly logger = new RecordingLogger();
  readonly #options: LabOptions;
  readonly #folder: string | undefined;
  #store!: WatchedStore;
  #engine!: GroupCommitEngine;

  private constructor(options: LabOptions) {
    this.#options = options;
    this.#folder =
      options.store === "file" ? mkdtempSync(join(tmpdir(), "resonate-lab-")) : undefined;
  }

  static async open(options: LabOptions = {}): Promise<Lab> {
    vi.useFakeTimers({
      now: NOW,
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    });
    const lab = new Lab(options);
    if (options.store === "postgres") await (await emptyPostgres()).close();
    await lab.start();
    return lab;
  }

  get engine(): GroupCommitEngine {
    return this.#engine;
  }

  get store(): WatchedStore {
    return this.#store;
  }

  get now(): number {
    return Date.now();
  }

  /** The database, in a lab on a file. */
  get path(): string {
    if (this.#folder === undefined) throw new Error("this lab has no file");
    return join(this.#folder, "resonate.db");
  }

  /** Starts the engine again on the file, `afterMs` after it ended. */
  async restart(afterMs = 0): Promise<void> {
    await this.#engine.close();
    vi.setSystemTime(Date.now() + afterMs);
    await this.start();
  }

  async start(): Promise<void> {
    this.#store = new WatchedStore(await this.#open());
    this.#engine = new GroupCommitEngine({
      store: this.#store,
      clock: { ...steadyClock(), now: () => Date.now() },
      settings: { retryTimeoutMs: RETRY_MS, retryTimeoutMsMax: RETRY_MAX_MS },
      serverUrl: SERVER_URL,
      push: this.#options.push,
      logger: this.logger,
      restartGraceMs: this.#options.restartGraceMs ?? 0,
      retentionAgeMs: this.#options.retentionAgeMs,
    });
    await this.#engine.start();
    await this.settle();
  }

  async close(): Promise<void> {
    await this.#engine.close();
    vi.useRealTimers();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
  }

  /** One request, parsed and answered as on the wire. */
  async ask(kind: string, data: unknown, head: object = {}): Promise<Answer> {
    const [answer] = await this.askAll([{ kind, data, head }]);
    if (!answer) throw new Error("no answer");
    return answer;
  }

  /** Requests that arrive together. */
  async askAll(
    requests: readonly { readonly kind: string; readonly data: unknown; readonly head?: object }[],
  ): Promise<Answer[]> {
    const answers = requests.map(async ({ kind, data, head = {} }) => {
      const parsed = parseRequest({
        kind,
        head: { corrId: "c", version: PROTOCOL_VERSION, ...head },
        data,
      });
      if (!parsed.ok) return { status: 400, data: parsed.message };
      const [response] = await this.#engine.process([parsed.request]);
      return wire(response);
    });
    return Promise.all(answers);
  }

  /** Time passes; whatever falls due on the way is done at its instant. */
  async advance(ms: number): Promise<void> {
    let there = false;
    setTimeout(() => {
      there = true;
    }, ms);
    while (!there) {
      vi.advanceTimersToNextTimer();
      await this.#idle();
    }
    await this.settle();
  }

  /** The clock moves and no timer fires: what is stored lags behind. */
  jump(ms: number): void {
    vi.setSystemTime(Date.now() + ms);
  }

  /** Until nothing is due at this instant. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { looks } = this.#store;
      vi.advanceTimersByTime(0);
      await this.#idle();
      if (looks === this.#store.looks) return;
    }
    throw new Error("there is always something due: a step makes no progress");
  }

  connect(group: string, id: string, options: WorkerOptions = {}): Worker {
    return new Worker(this.#engine, group, id, options);
  }

  // What follows gives the state that a test starts from, and reads the one it ends in.

  async create(
    id: string,
    { tags = {}, timeoutAt = NOW + 600_000, ...rest }: CreateOptions = {},
  ): Promise<PromiseRecord> {
    return (await this.ok("promise.create", { id, timeoutAt, tags, ...rest })).promise;
  }

  async promise(id: string): Promise<PromiseRecord> {
    return (await this.ok("promise.get", { id })).promise;
  }

  async task(id: string): Promise<TaskRecord> {
    return (await this.ok("task.get", { id })).task;
  }

  async resolve(id: string): Promise<PromiseRecord> {
    return (await this.ok("promise.settle", { id, state: "resolved" })).promise;
  }

  /** A task in this state. A suspended one awaits the promise `<id>-awaited`. */
  async given(
    id: string,
    state: TaskRecord["state"],
    options: CreateOptions = {},
  ): Promise<TaskRecord> {
    const { timeoutAt = NOW + 600_000 } = options;
    const given = { ...options, timeoutAt, tags: { ...targeted, ...options.tags } };
    if (state === "acquired" || state === "suspended") {
      await this.ok("task.create", claimedCreate(id, given));
    } else {
      await this.create(id, given);
    }
    if (state === "suspended") {
      await this.create(`${id}-awaited`, { tags: global });
      await this.ok("task.suspend", suspend(id, 1, `${id}-awaited`));
    }
    if (state === "halted") await this.ok("task.halt", { id });
    if (state === "fulfilled") await this.resolve(id);
    return this.task(id);
  }

  /** The data of an answer that must be 200. */
  // biome-ignore lint/suspicious/noExplicitAny: as `Answer`.
  async ok(kind: RequestKind, data: unknown, head: object = {}): Promise<any> {
    const answer = await this.ask(kind, data, head);
    if (answer.status !== 200) throw new Error(`${kind}: ${answer.status} ${answer.data}`);
    return answer.data;
  }

  async #open(): Promise<Store> {
    switch (this.#options.store ?? "memory") {
      case "memory":
        return new MemoryStore();
      case "file":
        return new SqliteStore({ path: this.path, synchronous: "normal" });
      case "postgres":
        return openPostgres();
    }
  }

  /** A request takes its turn after all that waits, so its answer says that nothing does but what is being read. */
  async #idle(): Promise<void> {
    while (this.#store.reading.size > 0) await Promise.allSettled(this.#store.reading);
    const head = { corrId: "idle", version: PROTOCOL_VERSION };
    await this.#engine.process([{ kind: "promise.get", head, data: { id: "idle" } }]);
  }
}

interface CreateOptions {
  readonly tags?: Tags;
  readonly timeoutAt?: number;
  readonly param?: { readonly headers?: Record<string, string>; readonly data?: string };
}

/** Parameters that call a function. */
export function calls(func: string, version?: number) {
  const param = { func, args: [], ...(version !== undefined && { version }) };
  return { data: Buffer.from(JSON.stringify(param)).toString("base64") };
}

/** The data of a task.create by `p1`. */
export function claimedCreate(id: string, options: CreateOptions & { ttl?: number } = {}) {
  const { tags = targeted, timeoutAt = NOW + 600_000, ttl = 10_000, ...rest } = options;
  const data = { id, timeoutAt, tags, ...rest };
  return { pid: "p1", ttl, action: { kind: "promise.create", head: {}, data } };
}

export function suspend(id: string, version: number, ...awaited: string[]) {
  const actions = awaited.map((one) => ({
    kind: "promise.register_callback",
    head: {},
    data: { awaited: one, awaiter: id },
  }));
  return { id, version, actions };
}

export function fulfill(id: string, version: number, state = "resolved", value = {}) {
  const data = { id, state, value };
  return { id, version, action: { kind: "promise.settle", head: {}, data } };
}

interface WorkerOptions {
  readonly graceMs?: number;
  readonly incarnation?: string;
  readonly lease?: boolean;
}

/** A connected process that keeps what it is sent. */
export class Worker {
  readonly messages: Message[] = [];
  /** The engine is done with this connection. */
  closed = false;
  /** Whether it takes messages. */
  accepts = true;
  readonly disconnect: () => void;

  constructor(
    engine: GroupCommitEngine,
    group: string,
    id: string,
    { graceMs = 1_000, incarnation, lease = true }: WorkerOptions,
  ) {
    this.disconnect = engine.connect({
      group,
      id,
      graceMs,
      incarnation,
      lease,
      send: (message) => {
        if (this.accepts) this.messages.push(message);
        return this.accepts;
      },
      closed: () => {
        this.closed = true;
      },
    });
  }

  /**
   * The messages in short: `execute <id> <version>` or, with the claim, `claimed <id> <version>`, and what its preload
   * is; `unblock <id> <state>`. Empties the list.
   */
  take(): string[] {
    return this.messages.splice(0).map(inShort);
  }
}

function inShort(message: Message): string {
  if (message.kind === "unblock") {
    const { promise } = message.data;
    return `unblock ${promise.id} ${promise.state}`;
  }
  const { head, data } = message;
  const { id, version } = data.task;
  if (!("promise" in data)) return `execute ${id} ${version}`;
  const preload = head["resonate:preload"] ?? "branch";
  return [`claimed ${id} ${version}`, preload, ...data.preload.map((one) => one.id)].join(" ");
}

function wire(response: Response | Refusal | undefined): Answer {
  const { head, data } = JSON.parse(JSON.stringify(response));
  return { status: head.status, data };
}
