/** A primary that is killed under workflows, and its standby that is promoted (R16). */
import { Resonate, silentLogger } from "@resonate-ts/sdk";
import { afterEach, expect, test } from "vitest";
import { type Pair, startPair } from "../../packages/server/test/support/postgres-pair.ts";
import { until } from "../../packages/server/test/support/until.ts";
import { stopPrograms } from "../../scripts/demo/program.ts";
import { Server } from "./processes.ts";
import { Sums, worker } from "./sums.ts";

const WORKFLOWS = Number(process.env["WORKFLOWS"] ?? 300);
/** From the promotion on, all is done in this time, in ms. */
const DONE_MS = 30_000 + WORKFLOWS * 20;

let pair: Pair | undefined;
const clients: Resonate[] = [];
afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await stopPrograms();
  await pair?.stop();
});

test(`${WORKFLOWS} workflows lose nothing that was answered when a standby is promoted under them`, async () => {
  pair = await startPair();
  const [one, two] = [await Server.start(pair.url), await Server.start(pair.url)];
  clients.push(worker(one.url, "odd"), worker(two.url, "even"));
  const client = new Resonate({ url: two.url, group: "clients", logger: silentLogger });
  clients.push(client);
  const sums = new Sums(client);

  const asked = sums.ask(WORKFLOWS);
  await until("a third is answered", () => sums.answered > WORKFLOWS / 3, DONE_MS);
  expect(sums.answered).toBeLessThan(WORKFLOWS);
  await pair.failOver();
  const promotedAt = performance.now();
  await asked;
  const tookMs = performance.now() - promotedAt;

  await sums.check(WORKFLOWS);
  expect(tookMs).toBeLessThan(DONE_MS);
  if (process.env["WORKFLOWS"]) process.stdout.write(`after the promotion: ${tookMs} ms\n`);
}, 600_000);
