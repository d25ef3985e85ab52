/**
 * A PostgreSQL of this test run: one cluster, started before the tests and ended after them, and a database for whoever asks
 * for one. With `DATABASE_URL` the databases are made there instead.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { ask, Installation, Instance } from "./postgres-instance.ts";

export interface Cluster {
  /** Of its database `postgres`. */
  readonly url: string;
  /** Ends it as a crash would, and starts it again after so many ms. */
  crash(downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster on a free port of the loopback interface. `settings`: as `max_connections=10`. */
export async function startCluster(settings: readonly string[] = []): Promise<Cluster> {
  const installation = new Installation();
  const instance = await Instance.create(installation);
  await instance.start(settings);
  return {
    url: instance.url,
    async crash(downMs) {
      await instance.end("SIGQUIT");
      await wait(downMs);
      await instance.start(settings);
    },
    async stop() {
      await instance.end("SIGINT");
      installation.remove();
    },
  };
}

/** Makes an empty database in the cluster of `url`. */
export async function createDatabase(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await ask(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    drop: async () => {
      await ask(url, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
