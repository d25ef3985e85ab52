/** A real pgbouncer in transaction mode, where the machine has one. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ask, freePort, UNPRIVILEGED } from "./postgres-instance.ts";

/** Connections to the database; fewer than its clients want at a time. */
const POOL_SIZE = 3;
/** System programs are not in the path of every user. */
const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` };

export const pgbouncerWorks = spawnSync("pgbouncer", ["--version"], { env }).status === 0;
if (!pgbouncerWorks) {
  process.stderr.write(
    "poolers are not tested: pgbouncer is not installed (apt-get install pgbouncer)\n",
  );
}

export class Pgbouncer {
  /** The same database, by the pooler. */
  readonly url: string;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(database: string, port: number) {
    const target = new URL(database);
    const password = target.password && ` password=${decodeURIComponent(target.password)}`;
    this.#folder = mkdtempSync(join(tmpdir(), "resonate-pgbouncer-"));
    chmodSync(this.#folder, 0o755);
    writeFileSync(
      join(this.#folder, "pgbouncer.ini"),
      `[databases]
* = host=${target.hostname} port=${target.port || 5432} user=${target.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 100
default_pool_size = ${POOL_SIZE}
`,
    );
    target.port = String(port);
    this.url = target.href;
  }

  /** In front of the database of this URL. */
  static async to(database: string): Promise<Pgbouncer> {
    const pooler = new Pgbouncer(database, await freePort());
    await pooler.#start();
    return pooler;
  }

  /** Kills it, and starts it again after so many ms. */
  async restart(downMs: number): Promise<void> {
    await this.#kill();
    await wait(downMs);
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const ini = join(this.#folder, "pgbouncer.ini");
    const child = spawn("pgbouncer", ["--quiet", ini], { ...UNPRIVILEGED, env, stdio: "ignore" });
    this.#process = child;
    for (let tries = 0; ; tries++) {
      try {
        await ask(this.url, "SELECT 1");
        return;
      } catch (error) {
        if (child.exitCode !== null || tries === 200) throw error;
        await wait(50);
      }
    }
  }

  async #kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}
