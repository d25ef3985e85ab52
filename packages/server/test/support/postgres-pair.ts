/** A primary with a standby that has every commit before it is answered, and the address that leads to whoever is primary. */
import { Link } from "./link.ts";
import { ask, Installation, Instance } from "./postgres-instance.ts";

export interface Pair {
  /** Of the database `postgres` of whoever is primary. */
  readonly url: string;
  /** Kills the primary, makes the standby one, and leads the address there. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPair(): Promise<Pair> {
  const installation = new Installation();
  const primary = await Instance.create(installation);
  const standby = await Instance.standbyOf(primary);
  await primary.start();
  await standby.start([`primary_conninfo=host=127.0.0.1 port=${primary.port} user=postgres`]);
  await ask(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await ask(primary.url, "SELECT pg_reload_conf()");
  await following(primary);
  const link = await Link.to(primary.url);
  return {
    url: link.url,
    async failOver() {
      await primary.end("SIGKILL");
      link.fail("reset");
      await ask(standby.url, "SELECT pg_promote()");
      link.lead(standby.url);
      link.heal();
    },
    async stop() {
      await link.close();
      await standby.end("SIGINT");
      // It would wait for the standby.
      await primary.end("SIGQUIT");
      installation.remove();
    },
  };
}

async function following(primary: Instance): Promise<void> {
  const question = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
  for (let tries = 0; (await ask(primary.url, question)).length === 0; tries++) {
    if (tries === 600) throw new Error("the standby does not follow");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
