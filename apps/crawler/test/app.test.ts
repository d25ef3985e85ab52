import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PageRecord } from "../src/records.ts";
import { startSampleSite } from "../src/sample-site.ts";
import { openFakeWeb } from "./fake-web.ts";
import { runApp } from "./program.ts";

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "crawler-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const crawlSample = (run: string, options?: { killAt: RegExp }) =>
  runApp(["--data", data, "--run", run], options);

function records(run: string): readonly PageRecord[] {
  const lines = readFileSync(join(data, `${run}.jsonl`), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

const paths = (lines: readonly string[]) =>
  lines.flatMap(
    (line) => /^ {2}[\d-]{3} +\d+ ms {2}http:\/\/sample\.test(\/\S*)/.exec(line)?.[1] ?? [],
  );

const ACCEPTED = [
  ...["/", "/about", "/blog", "/blog/first", "/blog/second", "/blog/third", "/contact"],
  ...["/drafts/next", "/news", "/news/archive", "/old-news", "/products", "/products/chair"],
  ...["/products/desk", "/products/lamp", "/products/sofa", "/team"],
];

test("the sample site is crawled: each page once, with its redirect and its missing page", async () => {
  const { code, lines } = await crawlSample("whole");

  expect(code).toBe(0);
  const found = records("whole");
  const own = found.filter(({ url }) => url.startsWith("http://sample.test/"));
  expect(own.map(({ url }) => new URL(url).pathname).toSorted()).toEqual(ACCEPTED);
  expect(found.map(({ url }) => url)).toContain("https://elsewhere.test/");
  const statuses = Object.groupBy(found, ({ status }) => String(status));
  expect(statuses["301"]).toEqual([
    expect.objectContaining({
      url: "http://sample.test/old-news",
      finalUrl: "http://sample.test/news",
    }),
  ]);
  expect(statuses["404"]?.map(({ url }) => url)).toEqual(["http://sample.test/products/sofa"]);
  expect(paths(lines).toSorted()).toEqual(ACCEPTED);
});

test("every file holds the same URLs", async () => {
  await crawlSample("files");

  const accepted = records("files").filter(({ url }) => url.startsWith("http://sample.test/"));
  const [csv, dot, html] = ["csv", "dot", "html"].map((kind) =>
    readFileSync(join(data, `files.${kind}`), "utf8"),
  );
  expect(csv?.split("\r\n")).toHaveLength(1 + records("files").length + 1);
  for (const { url } of accepted) {
    expect(csv).toContain(`\r\n${url},`);
    expect(dot).toContain(`"${url}" [`);
    expect(html).toContain(`<title>${url}`);
  }
  expect(dot).toContain('"http://sample.test/" -> "http://sample.test/about";');
  expect(html).not.toContain("<script");
  expect(readdirSync(data).filter((file) => file.startsWith("files."))).toHaveLength(4);
});

test("killed half-way and started again, finds the same and fetches no finished page again", async () => {
  await crawlSample("whole");
  // The first page of the third level: everything before it is on record.
  const killed = await crawlSample("cut", { killAt: / http:\/\/sample\.test\/team / });
  expect(killed.code).toBe("SIGKILL");

  const { code, lines } = await crawlSample("cut");

  expect(code).toBe(0);
  const pages = (run: string) => records(run).map(({ ms, ...page }) => page);
  expect(pages("cut")).toEqual(pages("whole"));
  const again = paths(lines).filter((path) =>
    ["/", "/about", "/products", "/blog", "/old-news", "/news"].includes(path),
  );
  expect(again).toEqual([]);
});

test("loopback is not visited unless it is allowed", async () => {
  const refused = await runApp(["http://127.0.0.1/", "--data", data, "--run", "private"]);

  expect(refused.code).toBe(1);
  expect(refused.lines).toContain(
    "1 URL down to depth 0. Pages: 0, redirects: 0, not to be had: 0.",
  );
  expect(records("private")).toEqual([
    expect.objectContaining({
      skippedReason: "forbidden address",
      problem: expect.stringContaining("--allow-private"),
    }),
  ]);
});

test("a run is one crawl: asked for another it is refused, asked for nothing it is the same", async () => {
  const url = "http://sample.test/team";
  const first = await runApp([
    url,
    "--depth",
    "0",
    "--delay-ms",
    "0",
    "--data",
    data,
    "--run",
    "team",
  ]);
  expect(first.code).toBe(0);

  for (const [other, recorded] of [
    [["http://sample.test/"], `url "${url}"`],
    [["--depth", "1"], "depth 0"],
    [["--allow-private"], "allowPrivate false"],
    [["--max-duration", "1h"], "maxDurationMs not set"],
  ] as const) {
    expect(await runApp([...other, "--data", data, "--run", "team"])).toEqual({
      code: 2,
      lines: [
        `crawler: run team is the crawl of ${url} with ${recorded}; for another one choose another --run`,
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
  const killed = await runApp([url, "--delay-ms", "20", ...flags], { killAt: /^ {2}200 / });
  expect(killed.code).toBe("SIGKILL");

  const other = await crawlSample("other");
  const cut = await runApp(flags);
  await site.close();

  expect(other.lines).toContain("Working on run cut too, which is not finished.");
  expect(other.lines.join("\n")).not.toContain(url);
  expect(cut.code).toBe(0);
  expect(records("cut").find((page) => page.url === url)).toMatchObject({ status: 200 });
  expect(records("cut").filter(({ skippedReason }) => skippedReason === "unreachable")).toEqual([]);
});

test("events are lines of JSON, and each page is in one of them", async () => {
  const web = await openFakeWeb({ hosts: 2, pagesPerHost: 3, strange: false });
  const flags = ["--json", "--delay-ms", "0", "--connect-to", web.connectTo, "--data", data];
  const { code, lines } = await runApp([web.start, ...flags]);
  await web.close();

  expect(code).toBe(0);
  const events = lines.map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ event: "start", url: web.start });
  expect(events.at(-1)).toMatchObject({ event: "end", accepted: 8, page: 8, failed: 0 });
  const pages = events.filter(({ event }) => event === "page").map(({ url }) => url);
  expect(new Set(pages)).toEqual(web.model(9));
  expect(pages).toHaveLength(8);
  expect(events.find(({ event }) => event === "progress")).toMatchObject({ done: 0, queued: 1 });
});

test("a folder or a file that cannot be used is answered with one line and exit code 2", async () => {
  const file = join(data, "crawler.db");
  writeFileSync(file, "not a database, whatever its name says".repeat(100));

  const noFolder = await runApp(["--data", join(file, "below")]);
  expect(noFolder).toEqual({ code: 2, lines: [expect.stringMatching(/^crawler: --data/)] });
  const noDatabase = await runApp(["--data", data]);
  expect(noDatabase).toEqual({ code: 2, lines: [expect.stringContaining("crawler.db")] });
});

test("Ctrl-C ends it with 0, and the next process goes on", async () => {
  const flags = ["--data", data, "--run", "left"];
  const left = await runApp(flags, { interruptAt: / http:\/\/sample\.test\/products / });
  expect(left.code).toBe(0);
  expect(left.lines.join("\n")).not.toContain("17 URLs");

  const { code, lines } = await runApp(flags);
  expect(code).toBe(0);
  expect(lines).toContain("17 URLs down to depth 3. Pages: 14, redirects: 1, not to be had: 1.");
  expect(paths(lines)).not.toContain("/about");
});

test("without its server it says where it looked, and waits until Ctrl-C", async () => {
  // Nothing listens on the port that discards.
  const flags = ["--server", "http://127.0.0.1:9", "--data", data];
  const waiting = /^No Resonate server answers at http:\/\/127\.0\.0\.1:9\. Start one with /;
  expect(await runApp(flags, { interruptAt: waiting })).toEqual({
    code: 0,
    lines: [expect.stringMatching(waiting)],
  });
});

test("it ends quietly when nobody reads what it prints any more", async () => {
  expect(await runApp(["--data", data], { closeAt: /^Crawling/ })).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^Crawling/)],
  });
});

test("wrong input is answered with one line and exit code 2, and nothing is started", async () => {
  expect(await runApp(["not a url", "--data", data])).toEqual({
    code: 2,
    lines: ["crawler: 'not a url' is not an http or https URL. Try --help."],
  });
  expect(readdirSync(data)).toEqual([]);
});
