import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PageRecord } from "../src/crawl.ts";
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

  expect(refused.code).toBe(0);
  expect(records("private")).toEqual([
    expect.objectContaining({ problem: expect.stringContaining("--allow-private") }),
  ]);
});

test.each([
  [["not a url"], "'not a url' is not an http or https URL"],
  [["file:///etc/hosts"], "'file:///etc/hosts' is not an http or https URL"],
  [["--depth", "1.5"], "--depth must be a whole number from 0 to 20"],
  [["--max-pages", "0"], "--max-pages must be a whole number from 1 to 1000"],
])("%j is answered with one line and exit code 2", async (words, problem) => {
  expect(await runApp(words)).toEqual({ code: 2, lines: [`crawler: ${problem}. Try --help.`] });
});
