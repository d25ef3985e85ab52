import type { RequestListener } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import type { PageRecord } from "../src/records.ts";
import type { CrawlRequest } from "../src/request.ts";
import type { WebLimits } from "../src/web.ts";
import { openCrawlerLab } from "./crawler-lab.ts";
import { serve } from "./site.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Crawls one page, `/`, of a server that answers it like this, and everything else with 404. */
async function fetchFrom(
  answer: RequestListener,
  { limits = {}, ...request }: Partial<CrawlRequest> & { limits?: Partial<WebLimits> } = {},
): Promise<PageRecord & { readonly refused: readonly string[] }> {
  const server = await serve((asked, response) => {
    if (asked.url === "/") answer(asked, response);
    else response.writeHead(404).end();
  });
  const lab = await openCrawlerLab({ limits });
  open.push(lab, server);
  const url = `http://127.0.0.1:${server.port}/`;
  const crawled = await lab.crawl({ url, depth: 0, allowPrivate: true, ...request });
  const [page] = crawled.pages;
  if (!page) throw new Error("There is no record of the page.");
  return { ...page, refused: crawled.refused.map((one) => new URL(one.url).pathname) };
}

const HTML = { "Content-Type": "text/html" };
const MANY_BYTES = 2 * 1_024 * 1_024;

test("a page gives its status, title, links and size", async () => {
  const html = `<title>T</title><a href="/a">`;
  const page = await fetchFrom((_, response) => response.writeHead(200, HTML).end(html));
  expect(page).toMatchObject({ status: 200, title: "T", refused: ["/a"], bytes: html.length });
});

test("links of an error page are not followed", async () => {
  const page = await fetchFrom((_, response) => response.writeHead(404, HTML).end(`<a href="/a">`));
  expect(page).toMatchObject({ status: 404, refused: [] });
});

test.each([
  ["image/png", "<html>", "not HTML"],
  ["text/html", "%PDF-1.7", "not HTML"],
  ["text/html", "\0\0\0", "not HTML"],
  ["text/plain", "only text", "not HTML"],
  ["text/plain", "<!DOCTYPE html><p>", undefined],
  ["application/octet-stream", "\n <!-- c --> <html lang=en>", undefined],
  ["TEXT/HTML; charset=x", "anything", undefined],
  ["application/xhtml+xml", "<html/>", undefined],
])("what is sent as %s and begins with %j: %s", async (type, body, skippedReason) => {
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { "Content-Type": type }).end(body),
  );
  expect(page.skippedReason).toBe(skippedReason);
});

test.each([
  ["text/html; charset=iso-8859-1", Buffer.from("<title>\xfc</title>", "latin1")],
  ["text/html", Buffer.from('<meta charset="utf-8"><title>ü</title>')],
  ["text/html", Buffer.from("\uFEFF<title>ü</title>", "utf16le")],
  [
    "text/html; charset=shift_jis",
    Buffer.from([0x3c, 0x74, 0x69, 0x74, 0x6c, 0x65, 0x3e, 0x83, 0x65]),
  ],
])("the charset is found: %s, %s", async (type, body) => {
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { "Content-Type": type }).end(body),
  );
  expect(page.title).toBe(type.includes("jis") ? "テ" : "ü");
});

const encodings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

test.each(Object.entries(encodings))(
  "a page may be compressed by %s",
  async (encoding, compress) => {
    const page = await fetchFrom((_, response) =>
      response
        .writeHead(200, { ...HTML, "Content-Encoding": encoding })
        .end(compress("<title>T</title>")),
    );
    expect(page).toMatchObject({ title: "T", bytes: 16 });
  },
);

test.each(["gzip, gzip", "compress", "zstd"])("the encoding %s is not read", async (encoding) => {
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { ...HTML, "Content-Encoding": encoding }).end("x"),
  );
  expect(page).toMatchObject({ status: 200, bytes: 0, skippedReason: "unknown encoding" });
});

test.each([
  [MANY_BYTES, undefined],
  [MANY_BYTES + 1, "too large"],
  // A bomb: it would not fit into memory as often as it is compressed.
  [100 * MANY_BYTES, "too large"],
])("a page of %i bytes, compressed: %s", async (bytes, skippedReason) => {
  const body = gzipSync(Buffer.alloc(bytes, " "));
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { ...HTML, "Content-Encoding": "gzip" }).end(body),
  );
  expect(page.skippedReason).toBe(skippedReason);
});

test("a header may ask not to follow the links", async () => {
  const page = await fetchFrom(
    (_, response) =>
      response
        .writeHead(200, { ...HTML, "X-Robots-Tag": "noindex, nofollow" })
        .end(`<a href="/a">`),
    { depth: 1 },
  );
  expect(page.refused).toEqual(["/a"]);
});

test.each([408, 425, 429, 500, 503])("%i is tried three times more", async (status) => {
  let requests = 0;
  const page = await fetchFrom((_, response) => {
    requests++;
    response.writeHead(status, HTML).end();
  });
  expect(requests).toBe(4);
  expect(page.status).toBe(status);
});

test.each([400, 401, 403, 404, 410])("%i is not tried again", async (status) => {
  let requests = 0;
  await fetchFrom((_, response) => {
    requests++;
    response.writeHead(status, HTML).end();
  });
  expect(requests).toBe(1);
});

test("a server that hangs up is tried three times more, and the record says why", async () => {
  let requests = 0;
  const page = await fetchFrom(({ socket }) => {
    requests++;
    socket.destroy();
  });
  expect(requests).toBe(4);
  expect(page).toMatchObject({ skippedReason: "unreachable", problem: "other side closed" });
});

test("as long as a server asks to be left alone, it is; longer than a minute is not waited for", async () => {
  const times: number[] = [];
  const page = await fetchFrom((_, response) => {
    times.push(performance.now());
    if (times.length === 1) return response.writeHead(429, { "Retry-After": "1" }).end();
    return response.writeHead(503, { ...HTML, "Retry-After": "61" }).end();
  });
  expect(times).toHaveLength(2);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(998);
  expect(page.status).toBe(503);
});

test.each([
  ["headers", { headersMs: 40, dnsMs: 0, connectMs: 40 }, () => {}],
  [
    "body",
    { bodyMs: 40 },
    ((_, response) => response.writeHead(200, HTML).write("<p>")) as RequestListener,
  ],
  [
    "whole answer",
    { totalMs: 40 },
    ((_, response) => {
      response.writeHead(200, HTML).write("<p>");
    }) as RequestListener,
  ],
])("a server that keeps the %s back is given up", async (what, limits, answer) => {
  const page = await fetchFrom(answer, { limits });
  expect(page).toMatchObject({
    skippedReason: "unreachable",
    problem: expect.stringContaining(`the ${what} took more than`),
  });
});
