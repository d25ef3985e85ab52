/**
 * How many pages of a fake web on loopback the crawler visits in a second when nobody asks it to be polite: a plain
 * fetch-and-parse loop without durability, the crawler on a file, and two crawlers with a server.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../demo/program.ts";
import { median, shown } from "./rounds.ts";

const PAGES = 1_000;
const CONCURRENCY = 16;

/** @returns Lines that say what was measured. */
export async function crawlerSpeed(rounds: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "crawler-speed-"));
  const web = fork(new URL("./web.ts", import.meta.url), { execArgv: ["--import", "tsx"] });
  try {
    const [{ start, connectTo }] = await once(web, "message");
    const place = { start, connectTo, folder };
    const rates: Record<"plain" | "file" | "server", number[]> = {
      plain: [],
      file: [],
      server: [],
    };
    for (let round = 0; round < rounds; round++) {
      rates.plain.push(await plain(place));
      rates.file.push(await rate(crawler(place, `file-${round}`)));
      rates.server.push(await crawlWithServer(place, `server-${round}`));
    }
    const base = median(rates.plain);
    return Object.entries(rates).map(
      ([name, all]) => `${name.padEnd(8)} ${shown(all, { unit: "pages/s", base, of: "plain" })}`,
    );
  } finally {
    web.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The fake web, and where files are kept. */
interface Place {
  readonly start: string;
  readonly connectTo: string;
  readonly folder: string;
}

async function plain({ start, connectTo }: Place): Promise<number> {
  const args = [start, connectTo, String(PAGES), String(CONCURRENCY)];
  const program = new Program({ entry: "scripts/app-speed/plain-crawler.ts", args });
  await program.success();
  const { pages, ms } = JSON.parse(program.lines[0]?.text ?? "");
  return (pages / ms) * 1_000;
}

function crawler(
  { start, connectTo, folder }: Place,
  run: string,
  more: readonly string[] = [],
): Program {
  const limits = ["--max-pages", PAGES, "--max-per-host", PAGES, "--depth", 20].map(String);
  const pace = ["--delay-ms", "0", "--concurrency", String(CONCURRENCY), "--no-sitemap"];
  const place = ["--connect-to", connectTo, "--run", run, "--data", join(folder, run)];
  const args = [start, "--json", ...limits, ...pace, ...place, ...more];
  return new Program({ entry: "apps/crawler/src/main.ts", args });
}

/** Pages per second from its start to its files, without the start of the process. */
async function rate(program: Program): Promise<number> {
  const begun = await program.line(/"event":"start"/);
  const ended = await program.line(/"event":"end"/);
  await program.success();
  const { accepted, page } = JSON.parse(ended.text);
  if (accepted !== PAGES || page !== PAGES) throw new Error(`It found ${ended.text}`);
  return (PAGES / (ended.at - begun.at)) * 1_000;
}

/** Two crawlers share a run; the one that is done first says how long it took. */
async function crawlWithServer(place: Place, run: string): Promise<number> {
  const path = join(place.folder, `${run}.db`);
  const args = ["dev", "--server-port", "0", "--storage-sqlite-path", path];
  const server = new Program({ entry: "packages/cli/src/main.ts", args });
  const url = /http:\S+/.exec((await server.line(/listens on/)).text)?.[0] ?? "";
  const both = [0, 1].map(() => crawler(place, run, ["--server", url]));
  const rates = await Promise.all(both.map(rate));
  await server.stop();
  return Math.max(...rates);
}
