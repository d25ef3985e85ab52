/** The process: builds a crawler, crawls once, writes what it found. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, type Logger, Resonate } from "@resonate-ts/sdk";
import { Agent } from "undici";
import { guardedConnector } from "./addresses.ts";
import { type CrawlResult, crawl, GROUP } from "./crawl.ts";
import { type FetchedPage, fetchPage } from "./fetch-page.ts";
import { jsonLines, pageLine, summary } from "./report.ts";
import { SAMPLE_HOST, SAMPLE_URL, startSampleSite } from "./sample-site.ts";
import { readSettings, type Settings } from "./settings.ts";

/** How long a server may be silent before its first header, and between two pieces of its body, in ms. */
const HEADERS_MS = 10_000;
const BODY_MS = 20_000;

const asked = readSettings(process.argv.slice(2));
switch (asked.kind) {
  case "run":
    await run(asked.settings).catch(fail);
    break;
  case "help":
    process.stdout.write(asked.text);
    break;
  case "wrong":
    process.stderr.write(`${asked.line}\n`);
    process.exitCode = 2;
}

async function run(settings: Settings): Promise<void> {
  const { run, url = SAMPLE_URL, depth, maxPages, allowPrivate, data } = settings;
  mkdirSync(data, { recursive: true });
  // Always there: a crawl of it that another process of the group began may be finished by this one.
  const site = await startSampleSite();
  const ownSite = { host: SAMPLE_HOST, port: site.port };
  const web = new Agent({
    connect: guardedConnector({ allowPrivate, ownSite }),
    headersTimeout: HEADERS_MS,
    bodyTimeout: BODY_MS,
  });
  let answeredNow = 0;
  const resonate = open(settings, web, (page) => {
    if (page.status !== undefined) answeredNow++;
    print(pageLine(page));
  });
  stopOnSignal(resonate);

  print(`Crawling ${url}, process ${process.pid}; after a crash, go on with --run ${run}`);
  const request = { run, url, depth, maxPages };
  const result = await resonate.run<CrawlResult>(`crawl-${run}`, "crawl", request);
  const path = join(data, `${run}.jsonl`);
  writeFileSync(path, jsonLines(result.pages));
  print(summary(result, answeredNow));
  print(`One line of JSON per page: ${path}`);

  await resonate.stop();
  await web.close();
  await site.close();
}

function open(
  { server, data }: Settings,
  web: Agent,
  fetched: (page: FetchedPage) => void,
): Resonate {
  const where = server === undefined ? { path: join(data, "crawler.db") } : { url: server };
  const resonate = new Resonate({ ...where, group: GROUP, logger: terminalLogger() });
  resonate.setDependency("web", web);
  resonate.setDependency("fetched", fetched);
  resonate.register("crawl", crawl);
  resonate.register("fetchPage", fetchPage);
  return resonate;
}

/** The first signal gives back what this process holds and exits 0; a second one exits at once. */
function stopOnSignal(resonate: Resonate): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(1);
    stopping = true;
    await resonate.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown): void {
  // A signal stopped it, and ends the process.
  if (isResonateError(error, "STOPPED")) return;
  process.stderr.write(`crawler: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** What the SDK has to say that a person should know. */
function terminalLogger(): Logger {
  const silent = () => {};
  const loud = (_: object, message: string) => process.stderr.write(`${message}\n`);
  return { debug: silent, info: silent, warn: loud, error: loud };
}
