/** Servers that reach PostgreSQL by a pgbouncer in transaction mode, which is killed under workflows (R16). */
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { afterEach, expect, test } from "vitest";
import { Pgbouncer, pgbouncerWorks } from "../../packages/server/test/support/pgbouncer.ts";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";
import { until } from "../../packages/server/test/support/until.ts";
import { stopPrograms } from "../../scripts/demo/program.ts";
import { Server } from "./processes.ts";
import { Sums, worker } from "./sums.ts";

const WORKFLOWS = Number(process.env["WORKFLOWS"] ?? 150);
const KILLS = 2;
const DOWN_MS = 500;

let cluster: Cluster | undefined;
let pooler: Pgbouncer | undefined;
const clients: Resonate[] = [];
afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await stopPrograms();
  await pooler?.stop();
  await cluster?.stop();
});

test.skipIf(!pgbouncerWorks)(
  `${WORKFLOWS} workflows by a pooler end as they should, and so when it is killed ${KILLS} times`,
  async () => {
    cluster = await startCluster();
    pooler = await Pgbouncer.to((await createDatabase(cluster.url)).url);
    const flags = ["--storage-postgres-pooler", "true"];
    const one = await Server.start(pooler.url, flags);
    const two = await Server.start(pooler.url, flags);
    clients.push(worker(one.url, "odd"), worker(two.url, "even"));
    const client = new Resonate({ url: one.url, group: "clients", logger: silentLogger });
    clients.push(client);
    const sums = new Sums(client);

    const asked = sums.ask(WORKFLOWS);
    for (let kill = 1; kill <= KILLS; kill++) {
      const enough = (kill * WORKFLOWS) / (KILLS + 2);
      await until("some are answered", () => sums.answered > enough, 60_000);
      await pooler.restart(DOWN_MS);
    }
    expect(sums.answered).toBeLessThan(WORKFLOWS);
    await asked;

    await sums.check(WORKFLOWS);
  },
  300_000,
);
