/** The process: builds a crawler, crawls once, writes what it found. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isResonateError, Resonate, type ResonateOptions } from "@resonate-ts/sdk";
import { type CrawlResult, crawl, GROUP } from "./crawl.ts";
import { findSitemapPages } from "./find-sitemap-pages.ts";
import { dot, graphPage } from "./graph.ts";
import { crawlId } from "./page-id.ts";
import { Progress } from "./progress.ts";
import { type Crawled, collect } from "./records.ts";
import { csv, fates, isEmpty, jsonLines, reasons, summary } from "./report.ts";
import { type CrawlRequest, requestOf } from "./request.ts";
import { SAMPLE_HOST, startSampleSite } from "./sample-site.ts";
import { readSettings, type Settings, SettingsError } from "./settings.ts";
import { onEnd, Terminal, terminalLogger } from "./terminal.ts";
import { visitHost } from "./visit-host.ts";
import { waitForServer } from "./wait-for-server.ts";
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
  const { run, data, json, connectTo, concurrency } = settings;
  makeFolder(data);
  const where = await placeOf(settings);
  const options = { ...where, group: GROUP, maxConcurrentTasks: concurrency };
  const resonate = new Resonate({ ...options, logger: terminalLogger() });
  const terminal = new Terminal({ json });
  onEnd(() => {
    terminal.end();
    return resonate.stop();
  });

  const request = await requestOnRecord(where, settings);
  // Always there: a crawl of it that another process of the group began may be finished by this one.
  const site = await startSampleSite();
  const own = { name: SAMPLE_HOST, address: "127.0.0.1", port: site.port };
  const web = openWeb({ connectTo: [own, ...connectTo] });
  const progress = new Progress(run, terminal);
  resonate.setDependency("web", web);
  resonate.setDependency("fetched", progress.fetched);
  resonate.setDependency("standing", progress.standing);
  resonate.register(crawl);
  resonate.register(findSitemapPages);
  resonate.register(visitHost);

  const { url } = request;
  terminal.line(`Crawling ${url}, process ${process.pid}; after a crash, go on with --run ${run}`);
  terminal.event("start", { run, url, pid: process.pid });
  await resonate.run<CrawlResult>(crawlId(run), "crawl", request);
  const crawled = await collect(resonate, request);
  terminal.end();
  const files = writeFiles(join(data, run), crawled, request);
  terminal.line(summary(crawled, progress.answered));
  terminal.line(`Written: ${files.join(", ")}`);
  terminal.event("end", {
    accepted: crawled.pages.length,
    ...fates(crawled.pages),
    reasons: Object.fromEntries(reasons(crawled)),
    files,
  });
  if (isEmpty(crawled)) process.exitCode = 1;

  await resonate.stop();
  await web.close();
  await site.close();
}

/** A server, once it is there, or a file. */
async function placeOf({ server, token, data }: Settings): Promise<ResonateOptions> {
  if (server === undefined) return { path: join(data, "crawler.db") };
  // Nothing has begun that would have to be given back.
  const leave = () => process.exit(0);
  process.on("SIGINT", leave).on("SIGTERM", leave);
  await waitForServer(server, () => {
    process.stderr.write(
      `No Resonate server answers at ${server}. Start one with "pnpm resonate dev"; waiting for it.\n`,
    );
  });
  process.off("SIGINT", leave).off("SIGTERM", leave);
  return { url: server, ...(token && { token }) };
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

/** Each appears whole or not at all, also when several processes of a run write the same. */
function writeFiles(path: string, crawled: Crawled, { url }: CrawlRequest): readonly string[] {
  const contents = {
    jsonl: jsonLines(crawled),
    csv: csv(crawled),
    html: graphPage(crawled, url),
    dot: dot(crawled),
  };
  return Object.entries(contents).map(([extension, content]) => {
    const file = `${path}.${extension}`;
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, content);
    renameSync(unfinished, file);
    return file;
  });
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
