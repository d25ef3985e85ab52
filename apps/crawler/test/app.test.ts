import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PageRecord } from "../src/crawl.ts";
import { startSampleSite } from "../src/sample-site.ts";
import { runApp } from "./program.ts";

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "crawler-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const crawlSample = (run: string, options?: { killAt: RegExp }) =>
  runApp(["--data", data, "--run", run, "--depth", "3"], options);

function records(run: string): readonly PageRecord[] {
  const lines = readFileSync(join(data, `${run}.jsonl`), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

const paths = (lines: readonly string[]) =>
  lines.flatMap(
    (line) => /^ {2}\d{3} +\d+ ms {2}http:\/\/sample\.test(\/\S*)/.exec(line)?.[1] ?? [],
  );

test("the sample site is crawled: each page once, with its redirect and its missing page", async () => {
  const { code, lines } = await crawlSample("whole");

  expect(code).toBe(0);
  const found = records("whole");
  expect(found.map(({ url }) => new URL(url).pathname).toSorted()).toEqual(
    [
      ...["/", "/about", "/blog", "/blog/first", "/blog/second", "/blog/third", "/contact"],
      ...["/news", "/news/archive", "/old-news", "/products", "/products/chair"],
      ...[
        "/products/desk",
        "/products/lamp",
        "/products/sofa",
        "/team",
        "/team/ada",
        "/team/grace",
      ],
    ].toSorted(),
  );
  const statuses = Object.groupBy(found, ({ status }) => String(status));
  expect(statuses["301"]?.map(({ url }) => url)).toEqual(["http://sample.test/old-news"]);
  expect(statuses["404"]?.map(({ url }) => url)).toEqual(["http://sample.test/products/sofa"]);
  expect(paths(lines).toSorted()).toEqual(found.map(({ url }) => new URL(url).pathname).toSorted());
});

test("killed half-way and started again, finds the same and fetches no finished page again", async () => {
  await crawlSample("whole");
  // The first page of the second level: everything before it is on record.
  const killed = await crawlSample("cut", { killAt: / http:\/\/sample\.test\/team / });
  expect(killed.code).toBe("SIGKILL");

  const { code, lines } = await crawlSample("cut");

  expect(code).toBe(0);
  const pages = (run: string) => records(run).map(({ ms, ...page }) => page);
  expect(pages("cut")).toEqual(pages("whole"));
  const again = paths(lines).filter((path) =>
    ["/", "/about", "/products", "/blog", "/old-news"].includes(path),
  );
  expect(again).toEqual([]);
});

test("loopback is not visited unless it is allowed", async () => {
  const refused = await runApp(["http://127.0.0.1/", "--data", data, "--run", "private"]);

  expect(refused.code).toBe(1);
  expect(refused.lines).toContain(
    "1 URL down to depth 0. Pages: 0, redirects: 0, not to be had: 1.",
  );
  expect(records("private")).toEqual([
    expect.objectContaining({ problem: expect.stringContaining("--allow-private") }),
  ]);
});

test("a run is one crawl: asked for another it is refused, asked for nothing it is the same", async () => {
  const url = "http://sample.test/team";
  const first = await runApp([url, "--depth", "0", "--data", data, "--run", "team"]);
  expect(first.code).toBe(0);

  for (const other of [["http://sample.test/"], ["--depth", "1"], ["--allow-private"]]) {
    expect(await runApp([...other, "--data", data, "--run", "team"])).toEqual({
      code: 2,
      lines: [
        `crawler: run team is the crawl of ${url} --depth 0 --max-pages 30, without --allow-private; for another one choose another --run`,
      ],
    });
  }

  const { code, lines } = await runApp(["--data", data, "--run", "team"]);
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^Crawling http:\/\/sample\.test\/team,/);
  expect(lines).toContain("1 of them were fetched before, or elsewhere, and not again.");
});

test("a run that another process began goes on in this one with its own rules, and unmixed", async () => {
  const site = await startSampleSite();
  const url = `http://127.0.0.1:${site.port}/`;
  const flags = ["--data", data, "--run", "cut", "--allow-private"];
  const killed = await runApp([url, ...flags], { killAt: /^ {2}200 / });
  expect(killed.code).toBe("SIGKILL");

  const other = await crawlSample("other");
  const cut = await runApp(flags);
  await site.close();

  expect(other.lines).toContain("Working on run cut too, which is not finished.");
  expect(other.lines.join("\n")).not.toContain(url);
  expect(cut.code).toBe(0);
  expect(records("cut").find((page) => page.url === url)).toMatchObject({ status: 200 });
  expect(records("cut").filter(({ problem }) => problem)).toEqual([]);
});

test("a page that gives no answer is tried again before the record says so, and each try is shown", async () => {
  const site = await startSampleSite();
  await site.close();
  const url = `http://127.0.0.1:${site.port}/`;

  const { code, lines } = await runApp([url, "--data", data, "--run", "down", "--allow-private"]);

  expect(code).toBe(1);
  expect(lines.filter((line) => line.startsWith("  ---"))).toHaveLength(4);
  expect(records("down")).toEqual([
    expect.objectContaining({ url, problem: expect.stringContaining("ECONNREFUSED") }),
  ]);
});

test("a folder or a file that cannot be used is answered with one line and exit code 2", async () => {
  const file = join(data, "crawler.db");
  writeFileSync(file, "not a database, whatever its name says".repeat(100));

  const noFolder = await runApp(["--data", join(file, "below")]);
  expect(noFolder).toEqual({ code: 2, lines: [expect.stringMatching(/^crawler: --data/)] });
  const noDatabase = await runApp(["--data", data]);
  expect(noDatabase).toEqual({ code: 2, lines: [expect.stringContaining("crawler.db")] });
});

test("it ends quietly when nobody reads what it prints any more", async () => {
  expect(await runApp(["--data", data], { closeAt: /^Crawling/ })).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^Crawling/)],
  });
});

test.each([
  [["not a url"], "'not a url' is not an http or https URL"],
  [["file:///etc/hosts"], "'file:///etc/hosts' is not an http or https URL"],
  [["http://sample.test/", "extra"], "one URL at most; 'extra' is one too many"],
  [["--depth", "1.5"], "--depth must be a whole number from 0 to 20"],
  [["--max-pages", "0"], "--max-pages must be a whole number from 1 to 1000"],
])("%j is answered with one line and exit code 2", async (words, problem) => {
  expect(await runApp(words)).toEqual({ code: 2, lines: [`crawler: ${problem}. Try --help.`] });
});
