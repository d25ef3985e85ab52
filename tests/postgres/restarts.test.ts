/**
 * Workflows on two servers that share one PostgreSQL, while the database crashes and servers and workers are killed (R2).
 * `WORKFLOWS=5000` is the long run; `SEED=…` repeats the order of faults.
 */
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { seeded } from "@resonate-ts/testing";
import { afterEach, expect, test } from "vitest";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";
import { ask } from "../../packages/server/test/support/postgres-instance.ts";
import { until } from "../../packages/server/test/support/until.ts";
import { stopPrograms } from "../../scripts/demo/program.ts";
import { Server, Worker } from "./processes.ts";
import { Sums } from "./sums.ts";

const WORKFLOWS = Number(process.env["WORKFLOWS"] ?? 150);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** Pause between two faults, in ms: so long, and up to so much longer. */
const PAUSE_MS = Number(process.env["WORKFLOWS"] ? 5_000 : 1_500);
/** Connections that a server may have: those of its pool, and one that listens. */
const CONNECTIONS_MAX = 11;

let cluster: Cluster;
let client: Resonate | undefined;
afterEach(async () => {
  await client?.stop();
  await stopPrograms();
  await cluster.stop();
});

test(`${WORKFLOWS} workflows end as they should, whatever crashes under them (SEED=${SEED})`, async () => {
  cluster = await startCluster();
  const { url: database } = await createDatabase(cluster.url);
  const servers = [await Server.start(database), await Server.start(database)] as const;
  const [one, two] = servers;
  // Each workflow calls another group, whose workers are connected to the other server.
  const workers = [new Worker(one.url, "odd"), new Worker(two.url, "even")];
  client = new Resonate({ url: one.url, group: "clients", logger: silentLogger });
  const sums = new Sums(client);
  let over = false;
  const faults = inTurn({ servers, workers }, () => over);

  await sums.ask(WORKFLOWS);
  over = true;
  const counts = await faults;

  await sums.check(WORKFLOWS);
  expect(counts.crashes + counts.servers + counts.workers).toBeGreaterThan(0);
  await until("no server has more connections than it may", async () => {
    const connections = await ask(
      database,
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()",
    );
    // One is that which asks.
    return connections.length <= 1 + servers.length * CONNECTIONS_MAX;
  });
  if (process.env["WORKFLOWS"]) process.stdout.write(`${JSON.stringify(counts)}\n`);
}, 3_600_000);

/** One fault after the other, until it is over. */
async function inTurn(
  {
    servers,
    workers,
  }: { readonly servers: readonly Server[]; readonly workers: readonly Worker[] },
  isOver: () => boolean,
): Promise<{ crashes: number; servers: number; workers: number }> {
  const random = seeded(SEED);
  const counts = { crashes: 0, servers: 0, workers: 0 };
  while (!isOver()) {
    const draw = random();
    if (counts.crashes === 0 || draw < 0.5) {
      counts.crashes++;
      await cluster.crash(random() * 2_000);
    } else if (draw < 0.75) {
      counts.servers++;
      await servers[Math.floor(random() * servers.length)]?.kill();
    } else {
      counts.workers++;
      await workers[Math.floor(random() * workers.length)]?.kill();
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + random())));
  }
  return counts;
}
