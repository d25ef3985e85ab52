/**
 * `tsx scripts/crawler-speed.ts [ROUNDS]`: how many pages of a fake web on loopback the crawler visits in a second when
 * nobody asks it to be polite. Each round measures, one after another: a plain fetch-and-parse loop without durability,
 * the crawler on a file, and two crawlers with a server. Prints medians, and the ratio to the plain loop.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program, stopPrograms } from "./demo/program.ts";

const PAGES = 1_000;
const CONCURRENCY = 16;
const ROUNDS_DEFAULT = 3;

const folder = mkdtempSync(join(tmpdir(), "crawler-speed-"));
const web = fork(new URL("./crawler-speed/web.ts", import.meta.url), {
  execArgv: ["--import", "tsx"],
});
try {
  const [{ start, connectTo }] = await once(web, "message");
  const rates = { plain: [], file: [], server: [] } as Record<string, number[]>;
  for (let round = 0; round < Number(process.argv[2] ?? ROUNDS_DEFAULT); round++) {
    rates["plain"]?.push(await plain(start, connectTo));
    rates["file"]?.push(await crawl(start, connectTo, `file-${round}`));
    rates["server"]?.push(await crawlWithServer(start, connectTo, round));
  }
  const base = median(rates["plain"] ?? []);
  for (const [name, all] of Object.entries(rates)) {
    const each = all.map((rate) => rate.toFixed(0)).join(", ");
    const ratio = (median(all) / base).toFixed(2);
    process.stdout.write(
      `${name.padEnd(7)} ${median(all).toFixed(0)} pages/s (${each}), ${ratio} of plain\n`,
    );
  }
} finally {
  await stopPrograms();
  web.disconnect();
  rmSync(folder, { recursive: true, force: true });
}

async function plain(start: string, connectTo: string): Promise<number> {
  const args = [start, connectTo, String(PAGES), String(CONCURRENCY)];
  const program = new Program({ entry: "scripts/crawler-speed/plain.ts", args });
  await program.success();
  const { pages, ms } = JSON.parse(program.lines[0]?.text ?? "");
  return (pages / ms) * 1_000;
}

function crawler(start: string, connectTo: string, run: string, more: readonly string[]): Program {
  const limits = ["--max-pages", PAGES, "--max-per-host", PAGES, "--depth", 20].map(String);
  const pace = ["--delay-ms", "0", "--concurrency", String(CONCURRENCY), "--no-sitemap"];
  const place = ["--connect-to", connectTo, "--run", run, "--data", join(folder, run)];
  const args = [start, "--json", ...limits, ...pace, ...place, ...more];
  return new Program({ entry: "apps/crawler/src/main.ts", args });
}

/** Pages per second from its start to its files, without the start of the process. */
async function crawl(start: string, connectTo: string, run: string, more: readonly string[] = []) {
  const program = crawler(start, connectTo, run, more);
  return rate(program);
}

async function rate(program: Program): Promise<number> {
  const begun = await program.line(/"event":"start"/);
  const ended = await program.line(/"event":"end"/);
  await program.success();
  const { accepted, page } = JSON.parse(ended.text);
  if (accepted !== PAGES || page !== PAGES) throw new Error(`It found ${ended.text}`);
  return (PAGES / (ended.at - begun.at)) * 1_000;
}

async function crawlWithServer(start: string, connectTo: string, round: number): Promise<number> {
  const path = join(folder, `server-${round}.db`);
  const args = ["dev", "--server-port", "0", "--storage-sqlite-path", path];
  const server = new Program({ entry: "packages/cli/src/main.ts", args });
  const url = /http:\S+/.exec((await server.line(/listens on/)).text)?.[0] ?? "";
  const more = ["--server", url];
  const run = `server-${round}`;
  const both = [crawler(start, connectTo, run, more), crawler(start, connectTo, run, more)];
  const rates = await Promise.all(both.map(rate));
  await server.stop();
  return Math.max(...rates);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
