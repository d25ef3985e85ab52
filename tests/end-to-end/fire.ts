/** Processes of an app and the server they share, any of which is killed at any time, until all the work is done. */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Random } from "@resonate-ts/testing";
import { Program } from "../../scripts/demo/program.ts";

/** `FIRE=long` is the long run: more work, which takes minutes. */
export const LONG = process.env["FIRE"] === "long";
/**
 * When the server is killed, in ms from the start: in the long run every 20 s, else once early, so that a fast machine
 * sees it too.
 */
const KILL_SERVER_AFTER_MS = LONG
  ? Array.from({ length: 60 }, (_, at) => (at + 1) * 20_000)
  : [4_500, 25_000, 45_000, 65_000, 85_000];
/** How many processes of the app there are. */
export const WORKERS = 3;
const KILL_WORKER_EVERY_MS = 3_000;

export interface FireOptions {
  /** Where the server keeps its file. */
  readonly folder: string;
  /** Chooses which process is killed. */
  readonly random: Random;
  /** Starts one process of the app, which uses the server at that URL. */
  readonly startWorker: (url: string) => Program;
  /** Starts what waits for the result, and is not killed. Without it a process of the app ends with 0 when all is done. */
  readonly startClient?: (url: string) => Program;
}

export class Fire {
  readonly #options: FireOptions;
  readonly #ended = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  readonly #workers = new Map<number, Program>();
  #workerKills = 0;
  #serverKills = 0;
  #server: Program | undefined;
  #url = "";
  #fires: readonly Promise<void>[] = [];

  constructor(options: FireOptions) {
    this.#options = options;
  }

  get workerKills(): number {
    return this.#workerKills;
  }

  get serverKills(): number {
    return this.#serverKills;
  }

  /**
   * Starts everything, and resolves when the client, or one of the processes, has ended with 0.
   *
   * @throws Error with what was printed, when a process ends by itself with another code.
   */
  async burn(): Promise<void> {
    try {
      await this.#startServer("0");
      for (let slot = 0; slot < WORKERS; slot++) this.#startWorker(slot);
      const client = this.#options.startClient?.(this.#url);
      if (client) this.#watch(client);
      this.#fires = [this.#burnWorkers(), this.#burnServers()];
      for (const fire of this.#fires) fire.catch((error) => this.#done.reject(error));
      await this.#done.promise;
    } finally {
      this.#ended.abort();
      await Promise.allSettled(this.#fires);
    }
  }

  async #startServer(port: string): Promise<void> {
    const path = join(this.#options.folder, "server.db");
    const args = ["dev", "--server-port", port, "--storage-sqlite-path", path];
    this.#server = new Program({ entry: "packages/cli/src/main.ts", args });
    this.#url = /http:\S+/.exec((await this.#server.line(/listens on/)).text)?.[0] ?? "";
  }

  #startWorker(slot: number): void {
    const worker = this.#options.startWorker(this.#url);
    this.#workers.set(slot, worker);
    this.#watch(worker);
  }

  #watch(program: Program): void {
    void program.exited.then((code) => {
      if (code === 0) return this.#done.resolve();
      if (code === "SIGKILL") return;
      const said = program.lines.map(({ text }) => text).join("\n");
      this.#done.reject(new Error(`A process ended with ${code}: ${said}`));
    });
  }

  async #burnWorkers(): Promise<void> {
    while (await this.#pause(KILL_WORKER_EVERY_MS)) {
      const slot = Math.floor(this.#options.random() * WORKERS);
      const worker = this.#workers.get(slot);
      worker?.kill("SIGKILL");
      this.#workerKills++;
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
      this.#serverKills++;
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
