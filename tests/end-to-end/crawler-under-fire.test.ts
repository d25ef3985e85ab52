/** A crawl by several processes and a server, any of which is killed at any time. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seeded } from "@resonate-ts/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeWeb, openFakeWeb } from "../../apps/crawler/test/fake-web.ts";
import { Program, stopPrograms } from "../../scripts/demo/program.ts";
import { Fire, LONG, WORKERS } from "./fire.ts";

/** The longest that it may take, in ms; on an idle machine it takes a third of that. */
const PATIENCE_MS = LONG ? 1_200_000 : 180_000;
const DELAY_MS = LONG ? 1_000 : 180;
const MAX_PAGES = LONG ? 200 : 120;
const HOSTS = LONG ? 12 : 8;

let folder: string;
let web: FakeWeb;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crawler-fire-"));
  web = await openFakeWeb({ hosts: HOSTS });
});
afterEach(async () => {
  await stopPrograms();
  await web.close();
  await rm(folder, { recursive: true, force: true });
});

test("processes and server killed at random change nothing", { timeout: PATIENCE_MS }, async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const flags = ["--delay-ms", String(DELAY_MS), "--data", folder];
  const fire = new Fire({
    folder,
    random: seeded(seed),
    startWorker: (url) => crawlerOf(web, "fire", [...flags, "--server", url]),
  });
  await fire.burn();

  const told = `SEED=${seed}, ${fire.workerKills} processes and ${fire.serverKills} servers killed`;
  process.stdout.write(`${told}\n`);
  expect(fire.workerKills, told).toBeGreaterThan(1);
  expect(fire.serverKills, told).toBeGreaterThan(0);
  const lines = (await readFile(join(folder, "fire.jsonl"), "utf8")).trim().split("\n");
  const records: { url: string; skippedReason?: string; status?: number }[] = lines.map((line) =>
    JSON.parse(line),
  );
  const urls = records.map(({ url }) => url);
  expect(new Set(urls).size, told).toBe(urls.length);
  const refused = new Set(["depth", "max-pages", "max-per-host", "nofollow", "another site"]);
  const accepted = records.filter(({ skippedReason = "" }) => !refused.has(skippedReason));
  expect(accepted.length, told).toBe(MAX_PAGES);
  const model = web.model(4);
  expect(model.size).toBeGreaterThan(MAX_PAGES);
  expect(accepted.map(({ url }) => url).filter((url) => !model.has(url))).toEqual([]);
  expect(
    accepted.filter(({ skippedReason }) => skippedReason === "unreachable"),
    told,
  ).toEqual([]);
  // The same pages as without any fire.
  expect(new Set(accepted.map(({ url }) => url))).toEqual(await calmPages());

  const again = refetches(web.log);
  expect(again.length, `${told}: ${again.join(", ")}`).toBeLessThanOrEqual(
    fire.workerKills * WORKERS,
  );
  expect(tooClose(web.log), told).toEqual([]);
});

/** The accepted pages of the same crawl, left alone. Another web is asked, so that the log stays that of the fire. */
async function calmPages(): Promise<ReadonlySet<string>> {
  const calm = await openFakeWeb({ hosts: HOSTS });
  const app = crawlerOf(calm, "calm", ["--delay-ms", "0", "--data", join(folder, "calm")]);
  await app.success();
  await calm.close();
  const text = await readFile(join(folder, "calm", "calm.dot"), "utf8");
  return new Set([...text.matchAll(/^ {2}"([^"]+)" \[/gm)].map(([, url = ""]) => url));
}

function crawlerOf(of: FakeWeb, run: string, flags: readonly string[]): Program {
  const request = [of.start, "--run", run, "--max-pages", String(MAX_PAGES), "--depth", "4"];
  const entry = "apps/crawler/src/main.ts";
  // Two hosts at a time: a kill cuts off two pages at most.
  return new Program({
    entry,
    args: [...request, "--concurrency", "2", "--connect-to", of.connectTo, ...flags],
  });
}

/** URLs that were asked for more than once, as often as they were, but for those that refuse the first request. */
function refetches(log: FakeWeb["log"]): string[] {
  const urls = log.map(({ host, path }) => `${host}${path}`);
  return urls.filter((url, at) => urls.indexOf(url) !== at && !url.endsWith("/busy"));
}

/** Requests to a host that began too soon after the one before, or while it was under way. */
function tooClose(log: FakeWeb["log"]): string[] {
  return [...Map.groupBy(log, ({ host }) => host)].flatMap(([host, requests]) =>
    requests.flatMap(({ at, path }, index) => {
      const before = requests[index - 1];
      if (!before) return [];
      const gap = at - before.at;
      // Timers may be a millisecond early.
      const soon = gap < DELAY_MS - 2 || at < (before.endedAt ?? Number.POSITIVE_INFINITY);
      return soon ? [`${host}${path} ${gap.toFixed(0)} ms after ${before.path}`] : [];
    }),
  );
}
