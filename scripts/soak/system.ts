/** What is soaked: a server on a file, or two on one PostgreSQL, and workers. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "@resonate-ts/testing";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";
import { ask } from "../../packages/server/test/support/postgres-instance.ts";
import { Program, stopPrograms } from "../demo/program.ts";

export type Storage = "sqlite" | "postgres";

/** Settled trees are forgotten after so many ms, so that what is stored stops growing. */
const RETENTION_MS = "60000";
const WORKERS = 3;

/** What is stored, in bytes. */
export interface Stored {
  readonly databaseBytes: number;
  /** The log of writes that the database keeps beside it. */
  readonly logBytes: number;
  /** Transactions since the start; absent where nobody counts them. */
  readonly transactions?: number;
}

export class System {
  /** Of the first server. */
  readonly url: string;
  readonly servers: readonly Program[];
  readonly stored: () => Promise<Stored>;
  readonly #urls: readonly string[];
  readonly #workers: Program[];
  readonly #remove: () => Promise<void>;
  #stopped: Promise<void> | undefined;

  private constructor(servers: readonly Program[], urls: readonly string[], place: Place) {
    this.servers = servers;
    this.#urls = urls;
    this.url = urls[0] ?? "";
    this.stored = place.stored;
    this.#remove = place.remove;
    this.#workers = Array.from({ length: WORKERS }, (_, slot) => this.#worker(slot));
  }

  static async start(storage: Storage): Promise<System> {
    const place = storage === "sqlite" ? file() : await database();
    try {
      return await System.#startAt(place);
    } catch (error) {
      await stopPrograms();
      await place.remove();
      throw error;
    }
  }

  static async #startAt(place: Place): Promise<System> {
    const servers: Program[] = [];
    const urls: string[] = [];
    for (let number = 0; number < place.servers; number++) {
      const server = new Program({
        entry: "packages/cli/src/main.ts",
        args: ["serve", "--server-port", "0", "--retention-age", RETENTION_MS, ...place.args],
        env: place.env,
      });
      const { text } = await server.line(/the server listens/);
      servers.push(server);
      urls.push(/http:\/\/[^"\s]+/.exec(text)?.[0] ?? "");
    }
    return new System(servers, urls, place);
  }

  get workers(): readonly Program[] {
    return this.#workers;
  }

  /** Kills one, and starts another in its place. */
  async killWorker(random: Random): Promise<void> {
    // The last one stays, so that there is one process to look at all the time.
    const slot = Math.floor(random() * (WORKERS - 1));
    this.#workers[slot]?.kill("SIGKILL");
    await this.#workers[slot]?.exited;
    this.#workers[slot] = this.#worker(slot);
  }

  /** Ends all of it, once. */
  stop(): Promise<void> {
    this.#stopped ??= stopPrograms().then(() => this.#remove());
    return this.#stopped;
  }

  #worker(slot: number): Program {
    const url = this.#urls[slot % this.#urls.length] ?? "";
    return new Program({ entry: "scripts/soak/worker.ts", args: [url] });
  }
}

interface Place {
  readonly servers: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  stored(): Promise<Stored>;
  remove(): Promise<void>;
}

function file(): Place {
  const folder = mkdtempSync(join(tmpdir(), "resonate-soak-"));
  const path = join(folder, "soak.db");
  const bytesOf = (name: string) =>
    readdirSync(folder).includes(name) ? statSync(join(folder, name)).size : 0;
  return {
    servers: 1,
    args: ["--storage-sqlite-path", path],
    env: {},
    stored: async () => ({
      databaseBytes: bytesOf("soak.db"),
      logBytes: bytesOf("soak.db-wal"),
    }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

const STORED = `SELECT pg_database_size(current_database())::float8 AS "databaseBytes",
  (SELECT sum(size) FROM pg_ls_waldir())::float8 AS "logBytes",
  (SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database())::float8 AS transactions`;

async function database(): Promise<Place> {
  const cluster: Cluster = await startCluster(["fsync=on"]);
  const { url } = await createDatabase(cluster.url);
  return {
    servers: 2,
    args: ["--storage-type", "postgres"],
    env: { RESONATE_STORAGE__POSTGRES__URL: url },
    stored: async () => (await ask(url, STORED))[0] as Stored, // As the statement says.
    remove: () => cluster.stop(),
  };
}
