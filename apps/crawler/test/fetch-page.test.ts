import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Constant, Resonate } from "@resonate-ts/sdk";
import { afterEach, expect, test } from "vitest";
import { type FetchedPage, fetchPage } from "../src/fetch-page.ts";

let server: Server | undefined;
let resonate: Resonate | undefined;

afterEach(async () => {
  await resonate?.stop();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
});

/** Fetches one page from a server that answers like this. */
async function fetchFrom(answer: RequestListener): Promise<FetchedPage> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address with a port.
  const { port } = listening.address() as AddressInfo;
  resonate = new Resonate();
  resonate.register("fetchPage", fetchPage);
  const retries = resonate.options({ retryPolicy: new Constant({ delay: 0, maxRetries: 1 }) });
  const page = await resonate.run("page", fetchPage, `http://127.0.0.1:${port}/`, RULES, retries);
  return { ...page, links: page.links.map((link) => new URL(link).pathname) };
}

const RULES = { run: "r", allowPrivate: true };
const HTML = { "Content-Type": "text/html" };
const MANY_BYTES = 2 * 1_024 * 1_024;

test("a page gives its status, title, links and size", async () => {
  const html = `<title>T</title><a href="/a">`;
  const page = await fetchFrom((_, response) => response.writeHead(200, HTML).end(html));
  expect(page).toMatchObject({ status: 200, title: "T", links: ["/a"], bytes: html.length });
});

test("links of an error page are not followed", async () => {
  const page = await fetchFrom((_, response) => response.writeHead(404, HTML).end(`<a href="/a">`));
  expect(page).toMatchObject({ status: 404, links: [] });
});

test("a redirect is not followed, but says where it leads", async () => {
  let requests = 0;
  const page = await fetchFrom((_, response) => {
    requests++;
    response.writeHead(302, { Location: "/there" }).end();
  });
  expect(page).toMatchObject({ status: 302, redirect: expect.stringMatching(/\/there$/) });
  expect(requests).toBe(1);
});

test("a redirect to another host leads nowhere", async () => {
  const page = await fetchFrom((_, response) =>
    response.writeHead(302, { Location: "http://elsewhere.test/" }).end(),
  );
  expect(page).toMatchObject({ problem: "redirects to another host" });
  expect(page).not.toHaveProperty("redirect");
});

test("what is not HTML is not read", async () => {
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { "Content-Type": "image/png" }).end("x"),
  );
  expect(page).toMatchObject({ status: 200, bytes: 0, problem: "not HTML" });
});

test.each([
  [MANY_BYTES, undefined],
  [MANY_BYTES + 1, `larger than ${MANY_BYTES} bytes`],
])("a page of %i bytes, compressed, has the problem %s", async (bytes, problem) => {
  const body = gzipSync(Buffer.alloc(bytes, " "));
  const page = await fetchFrom((_, response) =>
    response.writeHead(200, { ...HTML, "Content-Encoding": "gzip" }).end(body),
  );
  expect(page.problem).toBe(problem);
});

test("a server that hangs up is an error that says why, after the tries are used up", async () => {
  let requests = 0;
  const failing = fetchFrom(({ socket }) => {
    requests++;
    socket.destroy();
  });
  await expect(failing).rejects.toThrow("other side closed");
  expect(requests).toBe(2);
});
