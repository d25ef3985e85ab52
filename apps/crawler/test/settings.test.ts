import { expect, test } from "vitest";
import { readSettings } from "../src/settings.ts";

const settingsOf = (words: readonly string[], env = {}) => {
  const asked = readSettings(words, env);
  return asked.kind === "run" ? asked.settings : asked;
};

test("of the crawl only what was said is there; of the process everything", () => {
  expect(settingsOf(["--run", "r", "--data", "d"])).toEqual({
    run: "r",
    data: "d",
    concurrency: 8,
    connectTo: [],
    json: false,
  });
});

test("what is said is taken, and URLs are canonical", () => {
  const words = ["http://Site.test:80/?b&a#c", "--sort-query", "--no-sitemap", "--depth", "0"];
  const more = ["--max-duration", "2h", "--include", "/a", "--include", "/b", "--allow-private"];
  expect(settingsOf([...words, ...more, "--connect-to", "*.A.test=[::1]:80"])).toMatchObject({
    url: "http://site.test/?a&b",
    sitemaps: false,
    depth: 0,
    maxDurationMs: 7_200_000,
    include: ["/a", "/b"],
    allowPrivate: true,
    connectTo: [{ name: "*.a.test", address: "::1", port: 80 }],
  });
});

test("a flag wins over its variable, and an empty variable counts as absent", () => {
  const env = { RESONATE_URL: "http://one:1", CRAWLER_DATA: "one", CRAWLER_CONCURRENCY: "1" };
  expect(settingsOf([], env)).toMatchObject({
    server: "http://one:1",
    data: "one",
    concurrency: 1,
  });
  const flags = ["--server", "http://two:2", "--data", "two", "--concurrency", "2"];
  expect(settingsOf(flags, env)).toMatchObject({
    server: "http://two:2",
    data: "two",
    concurrency: 2,
  });
  expect(settingsOf([], { RESONATE_URL: "", CRAWLER_CONCURRENCY: "" })).not.toHaveProperty(
    "server",
  );
});

test.each([
  [["not a url"], "'not a url' is not an http or https URL"],
  [["file:///etc/hosts"], "'file:///etc/hosts' is not an http or https URL"],
  [["http://sample.test/", "extra"], "one URL at most; 'extra' is one too many"],
  [["--depth", "1.5"], "--depth must be a whole number from 0 to 20"],
  [["--max-pages", "0"], "--max-pages must be a whole number from 1 to 10000"],
  [["--max-per-host", "-1"], "Option '--max-per-host' argument is ambiguous"],
  [["--max-duration", "soon"], "--max-duration must be a time such as 90s, 10m or 2h"],
  [["--delay-ms", "x"], "--delay-ms must be a whole number from 0 to 60000"],
  [
    ["--include", "docs"],
    "--include must be a pattern that begins with '/' or '*', such as '/docs/**'",
  ],
  [
    ["--concurrency", "0"],
    "--concurrency (CRAWLER_CONCURRENCY) must be a whole number from 1 to 100",
  ],
  [
    ["--connect-to", "a.test=b.test:80"],
    "--connect-to must be NAME=ADDRESS:PORT, such as '*.example.com=127.0.0.1:8080'",
  ],
  [["--run", "a b"], "--run must be 1 to 64 letters, digits, '-' or '_'"],
  [["--server", "localhost"], "--server (RESONATE_URL) must be an http or https URL"],
  [["--nonsense"], "Unknown option '--nonsense'"],
])("%j is answered with one line", (words, problem) => {
  expect(readSettings(words, {})).toEqual({
    kind: "wrong",
    line: `crawler: ${problem}. Try --help.`,
  });
});
