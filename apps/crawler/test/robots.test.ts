import type { RequestListener } from "node:http";
import { afterEach, expect, test } from "vitest";
import { robotsOf } from "../src/robots.ts";
import { openCrawlerLab } from "./crawler-lab.ts";
import { serve } from "./site.ts";

const ORIGIN = "http://site.test";
const rules = (text: string) => robotsOf(ORIGIN, { kind: "rules", text });
const allowed = (text: string, path: string) =>
  rules(text).problem(`${ORIGIN}${path}`) === undefined;

test.each([
  ["User-agent: *\nDisallow: /a", "/a/b", false],
  ["User-agent: *\nDisallow: /a", "/b", true],
  ["User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true],
  ["User-agent: *\nDisallow: /a\nAllow: /a", "/a", true],
  ["User-agent: *\nDisallow: /*.pdf$", "/x.pdf", false],
  ["User-agent: *\nDisallow: /*.pdf$", "/x.pdf?y", true],
  ["User-agent: *\nDisallow:", "/a", true],
  ["User-agent: *\nDisallow: /\n\nUser-agent: Resonate-Crawler\nDisallow: /a", "/b", true],
  ["User-agent: other\nDisallow: /", "/a", true],
  ["User-agent: *\nDisallow: /%61b", "/ab", true],
])("%j and %s: allowed %s", (text, path, expected) => {
  expect(allowed(text, path)).toBe(expected);
});

test.each([
  ["2", 2_000],
  ["0.5", 500],
  ["86400", 60_000],
  ["-1", 0],
  ["soon", 0],
])("Crawl-delay: %s is %i ms", (delay, ms) => {
  expect(rules(`User-agent: *\nCrawl-delay: ${delay}`).crawlDelayMs).toBe(ms);
});

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Crawls a page of a site whose robots.txt is answered like this. */
async function crawl(robots: RequestListener) {
  const asked: string[] = [];
  const server = await serve((request, response) => {
    asked.push(request.url ?? "");
    if (request.url?.startsWith("/robots")) return robots(request, response);
    return response.setHeader("Content-Type", "text/html").end("<p>");
  });
  const lab = await openCrawlerLab();
  open.push(lab, server);
  const url = `http://127.0.0.1:${server.port}/private/a`;
  const { pages } = await lab.crawl({ url, depth: 0, allowPrivate: true });
  return { reason: pages[0]?.skippedReason, asked };
}

test("one with more patterns than can be matched in good time disallows all", async () => {
  const rules = (count: number) =>
    ["User-agent: *", ...Array.from({ length: count }, (_, at) => `Disallow: /*/x${at}$`)].join(
      "\n",
    );
  const crawlOf = (count: number) => crawl((_, response) => response.end(rules(count)));
  expect((await crawlOf(2_000)).reason).toBe(undefined);
  expect((await crawlOf(2_001)).reason).toBe("robots");
});

const DISALLOW = "User-agent: *\nDisallow: /private/";

test.each([400, 401, 403, 404, 410])(
  "a robots.txt that is answered with %i allows all",
  async (status) => {
    expect(await crawl((_, response) => response.writeHead(status).end(DISALLOW))).toEqual({
      reason: undefined,
      asked: ["/robots.txt", "/private/a"],
    });
  },
);

test("one that is answered with 5xx disallows all, until it is there", async () => {
  expect((await crawl((_, response) => response.writeHead(503).end())).reason).toBe("robots");

  let requests = 0;
  const recovers = await crawl((_, response) => {
    requests++;
    // Three tries more are made for the run, and as many for each batch of pages.
    response.writeHead(requests <= 4 ? 500 : 200).end("User-agent: *\nAllow: /");
  });
  expect(recovers.reason).toBe(undefined);
});

test.each([
  [5, "robots"],
  // As many redirects count as no file at all.
  [6, undefined],
])("after %i redirects: %s", async (redirects, reason) => {
  const robots: RequestListener = ({ url = "" }, response) => {
    const number = Number(/\d+$/.exec(url)?.[0] ?? 0);
    if (number === redirects) response.end(DISALLOW);
    else response.writeHead(301, { Location: `/robots${number + 1}` }).end();
  };
  expect((await crawl(robots)).reason).toBe(reason);
});

test.each([
  [500 * 1_024, "robots"],
  [512 * 1_024, undefined],
])("a rule after %i bytes: %s", async (bytes, reason) => {
  const comments = `#${"x".repeat(1_022)}\n`.repeat(bytes / 1_024);
  expect((await crawl((_, response) => response.end(comments + DISALLOW))).reason).toBe(reason);
});
