/** The process: builds a crawler, crawls once, writes what it found. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, Resonate, type ResonateOptions } from "@resonate-ts/sdk";
import { type CrawlRequest, type CrawlResult, crawl, GROUP } from "./crawl.ts";
import { FetchLog } from "./fetch-log.ts";
import { fetchPage } from "./fetch-page.ts";
import { isEmpty, jsonLines, summary } from "./report.ts";
import { crawlId, requestOf } from "./request.ts";
import { startSampleSite } from "./sample-site.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { onEnd, print, terminalLogger } from "./terminal.ts";
import { openWeb } from "./web.ts";

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
  const { run, server, data } = settings;
  makeFolder(data);
  const where = server === undefined ? { path: join(data, "crawler.db") } : { url: server };
  const resonate = new Resonate({ ...where, group: GROUP, logger: terminalLogger() });
  onEnd(() => resonate.stop());

  const request = await requestOnRecord(where, settings);
  // Always there: a crawl of it that another process of the group began may be finished by this one.
  const site = await startSampleSite();
  const { web, close } = openWeb(site.port);
  const log = new FetchLog(run, print);
  resonate.setDependency("web", web);
  resonate.setDependency("fetched", log.fetched);
  resonate.register("fetchPage", fetchPage);
  resonate.register("crawl", crawl);

  print(`Crawling ${request.url}, process ${process.pid}; after a crash, go on with --run ${run}`);
  const result = await resonate.run<CrawlResult>(crawlId(run), "crawl", request);
  const path = join(data, `${run}.jsonl`);
  writeFileSync(path, jsonLines(result.pages));
  print(summary(result, log.answered));
  print(`One line of JSON per page: ${path}`);
  if (isEmpty(result)) process.exitCode = 1;

  await resonate.stop();
  await close();
  await site.close();
}

/** Asks by a client of its own: `resonate`, once connected, is given work, and has to be ready for it. */
async function requestOnRecord(where: ResonateOptions, settings: Settings): Promise<CrawlRequest> {
  const reader = new Resonate({ ...where, group: "crawl-readers", logger: terminalLogger() });
  const request = await requestOf(reader, settings);
  await reader.stop();
  return request;
}

/** @throws SettingsError. */
function makeFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`--data (CRAWLER_DATA) cannot be a folder: ${why}`);
  }
}

function fail(error: unknown): void {
  // A signal stopped it, and ends the process.
  if (isResonateError(error, "STOPPED")) return;
  process.stderr.write(`crawler: ${error instanceof Error ? error.message : String(error)}\n`);
  const unusable = error instanceof SettingsError || isStoreError(error);
  process.exit(unusable ? 2 : 1);
}

/** The file is another process's, or it cannot be used. */
function isStoreError(error: unknown): boolean {
  return isResonateError(error, "STORE_IN_USE") || isResonateError(error, "STORE_UNUSABLE");
}
