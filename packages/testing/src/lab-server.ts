/** The server of a lab: an engine that can be stopped and started again on the same records. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isRefusal,
  PROTOCOL_VERSION,
  type Refusal,
  type RequestData,
  type RequestKind,
  type Response,
  type TaskState,
} from "@resonate-ts/protocol";
import { parseRequest } from "@resonate-ts/protocol/parse";
import { type Connection, type Engine, type Logger, openEngine } from "@resonate-ts/server";
import type { Activity } from "./activity.ts";
import type { ProcessClock } from "./simulated-clock.ts";

/** How long claims of processes that have not come back wait after a restart, in ms, as a server does by default. */
const RESTART_GRACE_MS = 5_000;

export interface LabServerParts {
  readonly activity: Activity;
  /** Time for one run of the engine; absent: the machine's. */
  readonly clock: (() => ProcessClock) | undefined;
  /** Keeps the records in a file, so that they outlive the engine. */
  readonly restartable: boolean;
  readonly logger: Logger;
}

export class LabServer {
  readonly #parts: LabServerParts;
  readonly #folder: string | undefined;
  #engine: Engine | undefined;
  #clock: ProcessClock | undefined;
  #starts = 0;

  constructor(parts: LabServerParts) {
    this.#parts = parts;
    this.#folder = parts.restartable ? mkdtempSync(join(tmpdir(), "resonate-lab-")) : undefined;
  }

  get running(): boolean {
    return this.#engine !== undefined;
  }

  async start(): Promise<void> {
    if (this.#engine) return;
    const { clock, logger } = this.#parts;
    this.#clock = clock?.();
    this.#engine = await openEngine({
      path: this.#folder && join(this.#folder, "lab.db"),
      synchronous: "normal",
      restartGraceMs: this.#starts > 0 ? RESTART_GRACE_MS : 0,
      clock: this.#clock,
      logger,
    });
    this.#starts += 1;
  }

  /** Closes all connections. What is on its way is answered no more. */
  async stop(): Promise<void> {
    const engine = this.#engine;
    if (!engine) return;
    if (!this.#folder) {
      throw new Error(
        "The records of this lab are in memory and would be lost: open it with { restartable: true }.",
      );
    }
    this.#engine = undefined;
    await engine.close();
    this.#clock?.kill();
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    this.#clock?.kill();
    this.#engine = undefined;
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Opens a stream of messages; `undefined` while the server is down. */
  connect(connection: Connection): (() => void) | undefined {
    return this.#engine?.connect(connection);
  }

  /** Answers requests as they come over the wire: each parsed as the server parses it. `undefined` while it is down. */
  async process(inputs: readonly unknown[]): Promise<readonly unknown[] | undefined> {
    const engine = this.#engine;
    if (!engine) return undefined;
    const { activity } = this.#parts;
    const parsed = inputs.map(parseRequest);
    const requests = parsed.flatMap((one) => (one.ok ? [one.request] : []));
    activity.begin();
    try {
      const answers = (requests.length > 0 ? await engine.process(requests) : []).values();
      if (this.#engine !== engine) return undefined;
      return parsed.map((one) => (one.ok ? answers.next().value : malformed(one)));
    } finally {
      activity.end();
    }
  }

  /** The ids of tasks in a state, at most 1,000. */
  async tasks(state: TaskState): Promise<readonly string[]> {
    const answer = await this.#ask("task.search", { state, limit: 1_000 });
    return answer && !isRefusal(answer) ? answer.data.tasks.map(({ id }) => id) : [];
  }

  /** Whether a promise is on record. */
  async exists(id: string): Promise<boolean> {
    const answer = await this.#ask("promise.get", { id });
    return answer !== undefined && !isRefusal(answer);
  }

  /** The process that holds a task. */
  async holder(id: string): Promise<string | undefined> {
    const answer = await this.#ask("task.get", { id });
    return answer && !isRefusal(answer) ? answer.data.task.pid : undefined;
  }

  async #ask<K extends RequestKind>(kind: K, data: RequestData[K]) {
    const head = { corrId: "lab", version: PROTOCOL_VERSION };
    const [answer] = (await this.process([{ kind, head, data }])) ?? [];
    // The engine answers each request by its kind.
    return answer as Response<K> | Refusal | undefined;
  }
}

function malformed({ kind, corrId, message }: { kind: string; corrId: string; message: string }) {
  return { kind, head: { corrId, status: 400, version: PROTOCOL_VERSION }, data: message };
}
