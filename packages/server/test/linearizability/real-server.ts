import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PROTOCOL_VERSION } from "@resonate-ts/protocol";
import type { Answer } from "../differential/oracle.ts";

const PROCESS = fileURLToPath(new URL("server-process.ts", import.meta.url));

export type StorageType = "sqlite" | "memory" | "postgres";

/** A server process that can be killed and started again on what it has written. */
export class RealServer {
  readonly #type: StorageType;
  /** The database in PostgreSQL. */
  readonly #database: string | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), "resonate-histories-"));
  #child: ChildProcess | undefined;
  #url = "";
  /** Resolves when the server answers (again). */
  ready: Promise<void> = Promise.resolve();

  private constructor(type: StorageType, database: string | undefined) {
    this.#type = type;
    this.#database = database;
  }

  /** `database`: the URL of one in PostgreSQL. */
  static async start(type: StorageType, database?: string): Promise<RealServer> {
    const server = new RealServer(type, database);
    server.ready = server.#start();
    await server.ready;
    return server;
  }

  get url(): string {
    return this.#url;
  }

  /** Kills it at once, and starts it again. */
  restart(): Promise<void> {
    this.ready = this.#kill().then(() => this.#start());
    return this.ready;
  }

  async close(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const place = this.#database ?? join(this.#folder, "test.db");
    const child = spawn(process.execPath, [PROCESS, this.#type, place], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.#url = line;
      return;
    }
    throw new Error("the server ended before it listened");
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}

/** One connection to a server. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** The answer, or `undefined` when none came or it does not say what happened. */
  async ask(
    url: string,
    kind: string,
    data: unknown,
    preload?: string,
  ): Promise<Answer | undefined> {
    const head = { corrId: "c", version: PROTOCOL_VERSION };
    const withPreload = preload === undefined ? head : { ...head, "resonate:preload": preload };
    try {
      const text = await this.#post(url, JSON.stringify({ kind, head: withPreload, data }));
      const answer = JSON.parse(text);
      const { status } = answer.head;
      return status >= 500 ? undefined : { status, data: answer.data };
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(url: string, body: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = { "Content-Type": "application/json" };
    const request = httpRequest(
      url,
      { method: "POST", agent: this.#agent, headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve(text));
        response.once("error", reject);
      },
    );
    request.once("error", reject);
    request.end(body);
    return promise;
  }
}
