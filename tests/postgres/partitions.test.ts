/**
 * Two servers, a worker of each and their database, with every way between them going wrong in every way (R13).
 * `ROUNDS=30` is the long run, in which faults last 10 to 60 s; `SEED=…` repeats their order.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { seeded } from "@resonate-ts/testing";
import { afterEach, expect, test } from "vitest";
import { type Fault, Link } from "../../packages/server/test/support/link.ts";
import {
  type Cluster,
  createDatabase,
  startCluster,
} from "../../packages/server/test/support/postgres.ts";
import { until } from "../../packages/server/test/support/until.ts";
import { stopPrograms } from "../../scripts/demo/program.ts";
import { Server } from "./processes.ts";
import { Sums, worker } from "./sums.ts";

const LONG = process.env["ROUNDS"] !== undefined;
const ROUNDS = Number(process.env["ROUNDS"] ?? 4);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** How long a fault lasts, in ms: so long, and up to so much longer. */
const [FAULT_MS, FAULT_MORE_MS] = LONG ? [10_000, 50_000] : [500, 1_000];
const FAULTS: readonly Fault[] = ["reset", "silence", "there", "back"];
/** After a way is healed, all that was asked for before is answered in this time, in ms. */
const HEALED_MS = 30_000;
const LANES = 8;

let cluster: Cluster | undefined;
const clients: Resonate[] = [];
const links: Link[] = [];
afterEach(async () => {
  for (const link of links) link.heal();
  await Promise.all(clients.map((client) => client.stop()));
  await stopPrograms();
  await Promise.all(links.splice(0).map((link) => link.close()));
  await cluster?.stop();
});

test(`nothing is stuck after ${ROUNDS} partitions, and every promise settled once (SEED=${SEED})`, async () => {
  cluster = await startCluster();
  const { url: database } = await createDatabase(cluster.url);
  const ways = new Map<string, Link>();
  const way = async (name: string, url: string) => {
    const link = await Link.to(url);
    links.push(link);
    ways.set(name, link);
    return link.url;
  };
  const one = await Server.start(await way("server 1 and database", database));
  const two = await Server.start(await way("server 2 and database", database));
  clients.push(worker(await way("server 1 and worker", one.url), "odd"));
  clients.push(worker(await way("server 2 and worker", two.url), "even"));
  const url = await way("server 2 and client", two.url);
  const client = new Resonate({ url, group: "clients", logger: silentLogger });
  clients.push(client);
  const sums = new Sums(client);
  let over = false;
  const asking = sums.askWhile(() => !over, LANES);
  await until("some are answered", () => sums.answered > LANES);

  const random = seeded(SEED);
  const plan = planned(random, [...ways.keys()]);
  for (const { name, fault, ms } of plan.slice(0, ROUNDS)) {
    const link = ways.get(name);
    link?.fail(fault);
    await wait(ms);
    link?.heal();
    const healedAt = performance.now();
    const before = sums.asked;
    const what = `all is answered after ${fault} between ${name} for ${Math.round(ms)} ms`;
    await until(what, () => sums.answeredBefore(before), HEALED_MS);
    const tookMs = Math.round(performance.now() - healedAt);
    if (LONG) process.stdout.write(`${JSON.stringify({ name, fault, ms, tookMs })}\n`);
  }
  over = true;
  await asking;

  expect(sums.answered).toBeGreaterThan(ROUNDS * LANES);
  await sums.check(sums.asked);
}, 7_200_000);

interface Planned {
  readonly name: string;
  readonly fault: Fault;
  readonly ms: number;
}

/** Each way with each fault, in any order, again and again. */
function planned(random: () => number, names: readonly string[]): readonly Planned[] {
  const all = names.flatMap((name) => FAULTS.map((fault) => ({ name, fault })));
  const times = Math.ceil(ROUNDS / all.length);
  return Array.from({ length: times }, () => all)
    .flat()
    .map((one) => ({ ...one, ms: FAULT_MS + random() * FAULT_MORE_MS, place: random() }))
    .sort((one, other) => one.place - other.place);
}
