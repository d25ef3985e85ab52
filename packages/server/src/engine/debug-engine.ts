/**
 * An engine for debugging: requests may say at which instant they are taken, and time can be made to rest.
 *
 * It is the ordinary engine with another clock, and a store that outlives it: where debug operations change what the
 * engine cannot see (records are gone, time has been skipped), the engine is put up again, as after a restart.
 *
 * I1. One request is taken at a time, so that the clock is that request's.
 * I2. Connections stay open while the engine is put up again.
 */
import {
  type DebugRequest,
  type DebugResponse,
  PROTOCOL_VERSION,
  type Refusal,
  type Request,
  type RequestHead,
  type Response,
} from "@resonate-ts/protocol";
import { snap } from "../core/debug/snap.ts";
import type { Store } from "../stores/store.ts";
import type { Connection, Engine } from "./engine.ts";
import { execute } from "./execute.ts";
import { GroupCommitEngine } from "./group-commit-engine.ts";
import type { Inside } from "./inside.ts";
import type { GroupCommitOptions } from "./options.ts";

/** Most steps of one transaction of a tick. */
const TICK_STEPS_MAX = 1_000;
/** Most transactions of a tick: a schedule fires once in each. What is left is taken by the next tick. */
const TICK_ROUNDS_MAX = 100_000;
/** Processes are not waited for after the engine is put up again: they have not gone away. */
const NO_RELEASE_MS = 2 ** 31 - 1;

export class DebugEngine implements Engine {
  readonly debugging = { answer: (request: DebugRequest) => this.#debug(request) };
  readonly failed: Promise<never>;
  readonly inside: Inside;
  readonly #options: GroupCommitOptions;
  readonly #open = new Map<Connection, () => void>();
  #engine: GroupCommitEngine;
  #fail: (error: unknown) => void = () => {};
  #paused = false;
  #replacing = false;
  /** The instant of the request that is being taken, where it says one. */
  #at: number | undefined;
  /** The latest such instant since the last reset: this clock does not go back either. */
  #latest = 0;
  #closed: Promise<void> | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {}); // Whoever needs to know has its own handler.
    this.#engine = this.#build(options.restartGraceMs);
    const { records, shared } = this.#engine.inside;
    const now = () => this.#now();
    this.inside = { now, records, shared, census: () => this.#engine.inside.census() };
  }

  start(): Promise<void> {
    return this.#engine.start();
  }

  get connections(): number {
    return this.#engine.connections;
  }

  get writable(): boolean {
    return this.#engine.writable;
  }

  process(requests: readonly Request[]): Promise<readonly (Response | Refusal)[]> {
    return this.#alone(async () => {
      const answers: (Response | Refusal)[] = [];
      for (const request of requests) {
        answers.push(
          ...(await this.#atTimeOf(request.head, () => this.#engine.process([request]))),
        );
      }
      return answers;
    });
  }

  connect(connection: Connection): () => void {
    this.#connect(connection);
    return () => {
      const disconnect = this.#open.get(connection);
      this.#open.delete(connection);
      disconnect?.();
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#alone(async () => {
      await this.#engine.close();
      await this.#options.push?.close();
      await this.#options.store.close();
    });
    return this.#closed;
  }

  #debug(request: DebugRequest): Promise<DebugResponse | Refusal> {
    return this.#alone(async () => {
      const { kind, head } = request;
      const answer = (status: number, data: DebugResponse["data"]): DebugResponse => ({
        kind,
        head: { corrId: head.corrId, status, version: PROTOCOL_VERSION },
        data,
      });
      switch (request.kind) {
        case "debug.start":
          await this.#replace({ paused: true });
          return answer(200, {});
        case "debug.stop":
          await this.#replace({ paused: false });
          return answer(200, {});
        case "debug.reset":
          await this.#options.store.reset();
          this.#latest = 0;
          await this.#replace();
          return answer(200, {});
        case "debug.snap":
          return answer(200, await this.#snap(head));
        case "debug.tick": {
          const { time } = request.data;
          const at = head["resonate:debug_time"];
          if (at !== undefined && at !== time) {
            const data = `time: must be the time of the request, resonate:debug_time ${at}, got ${time}`;
            return { ...answer(400, {}), data };
          }
          await this.#tick(time);
          return answer(200, []);
        }
      }
    });
  }

  #snap(head: RequestHead) {
    return this.#atTimeOf(head, async () => {
      return snap(await this.#options.store.snapshot(), this.#now());
    });
  }

  /** Takes all that is due at `time`. */
  async #tick(time: number): Promise<void> {
    const { store, settings } = this.#options;
    this.#latest = Math.max(this.#latest, time);
    for (let round = 0; round < TICK_ROUNDS_MAX; round++) {
      const { steps } = await store.due(time, TICK_STEPS_MAX);
      if (steps.length === 0) break;
      await execute(store, steps, time, settings);
    }
    if (!this.#paused) await this.#replace();
  }

  /** Puts the engine up again on what is stored. */
  async #replace({ paused = this.#paused } = {}): Promise<void> {
    this.#replacing = true;
    await this.#engine.close();
    this.#replacing = false;
    this.#paused = paused;
    this.#engine = this.#build(NO_RELEASE_MS);
    await this.#engine.start();
    for (const connection of this.#open.keys()) this.#connect(connection);
  }

  #build(restartGraceMs: number): GroupCommitEngine {
    const { clock, store, push } = this.#options;
    const engine = new GroupCommitEngine({
      ...this.#options,
      restartGraceMs,
      push: push && { push: (url, message) => push.push(url, message), close: async () => {} },
      store: withoutClose(store),
      clock: {
        now: () => this.#now(),
        after: (ms, callback) => (this.#paused ? () => {} : clock.after(ms, callback)),
      },
    });
    engine.failed.catch(this.#fail);
    return engine;
  }

  #connect(connection: Connection): void {
    const disconnect = this.#engine.connect({
      ...connection,
      send: (message) => !this.#paused && connection.send(message),
      closed: () => {
        if (this.#replacing) return;
        this.#open.delete(connection);
        connection.closed();
      },
    });
    this.#open.set(connection, disconnect);
  }

  #now(): number {
    return this.#at ?? this.#options.clock.now();
  }

  async #atTimeOf<T>(head: RequestHead, work: () => Promise<T>): Promise<T> {
    const given = head["resonate:debug_time"];
    if (given === undefined) return work();
    this.#latest = Math.max(this.#latest, given);
    this.#at = this.#latest;
    try {
      return await work();
    } finally {
      this.#at = undefined;
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => {});
    return done;
  }
}

/** The store, which outlives the engines that use it. */
function withoutClose(store: Store): Store {
  return {
    clockFloor: store.clockFloor,
    get writable() {
      return store.writable;
    },
    transaction: (work, at) => store.transaction(work, at),
    due: (at, limit) => store.due(at, limit),
    heldBy: (pid, limit) => store.heldBy(pid, limit),
    pending: (limit) => store.pending(limit),
    oldTrees: (look) => store.oldTrees(look),
    snapshot: () => store.snapshot(),
    reset: () => store.reset(),
    insight: store.insight,
    close: async () => {},
  };
}
