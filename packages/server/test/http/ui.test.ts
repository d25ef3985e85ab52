/** `/ui`: the files of the page, who may see what it shows, and that looking is safe. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/serve.ts";
import { readSettings, type SettingsInput } from "../../src/settings.ts";
import { ask, head, Stream, silent, start } from "./harness.ts";
import { keyFile, tokenOf } from "./tokens.ts";

const SCRIPT = `console.log("${"x".repeat(2_000)}");`;

let server: RunningServer;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "resonate-ui-"));
  build("<h1>one</h1>");
  server = await open();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function build(index: string): void {
  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(folder, "index.html"), index);
  writeFileSync(join(folder, "assets/main-Ab3dE6gH.js"), SCRIPT);
}

function open(flags: SettingsInput["flags"] = {}): Promise<RunningServer> {
  const settings = { "server.port": "0", "storage.type": "memory", ...flags };
  return serve(readSettings({ flags: settings }), { logger: silent, pageFolder: folder });
}

async function reopen(flags: SettingsInput["flags"]): Promise<void> {
  await server.close();
  server = await open(flags);
}

const get = (path: string, headers: Record<string, string> = {}) =>
  ask(server, { method: "GET", path, headers });

describe("the page", () => {
  test.each(["/ui", "/ui/", "/ui/runs/a", "/ui?x=1"])("is at %s", async (path) => {
    const answer = await get(path);

    expect(answer).toMatchObject({ status: 200, text: "<h1>one</h1>" });
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("no-cache");
  });

  test("lets nothing run but its own files, and no other page frame it", async () => {
    const { headers } = await get("/ui");

    expect(headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    });
  });

  test("has files that may be kept for ever, under names that change with them", async () => {
    const answer = await get("/ui/assets/main-Ab3dE6gH.js");

    expect(answer.text).toBe(SCRIPT);
    expect(answer.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
  });

  test.each([
    ["br", "gzip, deflate, br", "br"],
    ["gzip", "gzip", "gzip"],
    ["gzip where br is refused", "br;q=0, gzip;q=0.5", "gzip"],
    ["nothing", "", undefined],
  ])("is compressed with %s for who takes '%s'", async (_, accepted, encoding) => {
    const path = "/ui/assets/main-Ab3dE6gH.js";
    const answer = await head(server, {
      method: "GET",
      path,
      headers: { "accept-encoding": accepted },
    });
    answer.resume();

    expect(answer.headers["content-encoding"]).toBe(encoding);
    expect(answer.headers.vary).toContain("Accept-Encoding");
    const length = Number(answer.headers["content-length"]);
    expect(encoding ? length < 200 : length === SCRIPT.length).toBe(true);
  });

  test("is not sent again to who has it", async () => {
    const { etag = "" } = (await get("/ui")).headers;

    const again = await get("/ui", { "if-none-match": `W/"x", ${etag}` });

    expect(again).toMatchObject({ status: 304, text: "" });
  });

  test("is the new one when it has been built again", async () => {
    await get("/ui");
    build("<h1>two</h1>");
    utimesSync(join(folder, "index.html"), 1, 1);

    expect((await get("/ui")).text).toBe("<h1>two</h1>");
  });

  test("that has not been built says how to", async () => {
    rmSync(join(folder, "index.html"));

    const answer = await get("/ui");

    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text).error).toContain("pnpm build");
  });

  test.each([
    "/ui/absent.js",
    "/ui/../package.json",
    "/ui/..%2f..%2fpackage.json",
    "/ui/assets/%2e%2e/%2e%2e/x.json",
    "/ui/__proto__.js",
    "/uix",
  ])("gives nothing for %s", async (path) => {
    const answer = await get(path);

    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain("name");
  });

  test("takes GET and HEAD alone", async () => {
    expect((await ask(server, { method: "HEAD", path: "/ui" })).status).toBe(200);
    expect((await ask(server, { method: "POST", path: "/ui" })).status).toBe(405);
    expect((await ask(server, { method: "POST", path: "/ui/api/overview" })).status).toBe(405);
  });

  test("is where a browser that was given the server's address goes", async () => {
    const browser = await get("/", { accept: "text/html,application/xhtml+xml" });

    expect(browser.status).toBe(302);
    expect(browser.headers.location).toBe("/ui");
    expect((await get("/", { accept: "*/*" })).status).toBe(405);
  });

  test("is not there when it is switched off, nor what it shows", async () => {
    await reopen({ ui: "false" });

    expect((await get("/ui")).status).toBe(404);
    expect((await get("/ui/api/overview")).status).toBe(404);
    expect((await get("/", { accept: "text/html" })).status).toBe(405);
  });

  test("is not there where an engine shows nothing of itself", async () => {
    const bare = await start();

    expect((await ask(bare, { method: "GET", path: "/ui" })).status).toBe(404);
    await bare.close();
  });
});

const VIEWS = ["overview", "workers", "executions", "tree?id=a", "promise?id=a", "why?id=a"];
const ALL = [...VIEWS, "schedules", "events", "events?id=a"].map((name) => `/ui/api/${name}`);

describe("what the page shows", () => {
  test.each(ALL)("at %s is for those who may see everything", async (path) => {
    const file = keyFile();
    await reopen({ "auth.publickey": file.path });
    const as = async (claims: object) => get(path, await bearer(claims));

    const [nobody, acme] = [await get(path), await as({ prefix: "acme" })];
    const admin = await head(server, {
      method: "GET",
      path,
      headers: await bearer({ role: "admin" }),
    });
    admin.destroy();

    expect([nobody.status, acme.status]).toEqual([401, 403]);
    expect(nobody.headers["www-authenticate"]).toBe("Bearer");
    expect([200, 404]).toContain(admin.statusCode);
    file.remove();
  });

  test.each(ALL)("at %s is for no page of others", async (path) => {
    expect((await get(path, { origin: "https://evil.example" })).status).toBe(403);
    expect((await get(path, { host: "evil.example" })).status).toBe(403);
  });

  test("needs no token that its files would be given with", async () => {
    const file = keyFile();
    await reopen({ "auth.publickey": file.path });

    expect((await get("/ui")).status).toBe(200);
    file.remove();
  });

  test("is kept by nobody on the way", async () => {
    const { headers } = await get("/ui/api/overview");

    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  test.each([
    ["an id that is not given", "tree", 400],
    ["an empty id", "promise?id=", 400],
    ["an id that is too long", `promise?id=${"x".repeat(1_025)}`, 400],
    ["a promise that is not there", "promise?id=absent", 404],
    ["a tree that is not there", "tree?id=absent", 404],
    ["why nothing moves", "why?id=absent", 404],
    ["events of what is not there", "events?id=absent", 404],
    ["a limit of 0", "executions?limit=0", 400],
    ["a limit of 201", "executions?limit=201", 400],
    ["a state that is none", "executions?state=lost", 400],
    ["a cursor of others", "executions?cursor=%22", 400],
    ["a cursor that is no number", "executions?cursor=Z", 400],
    ["a cursor of schedules that is none", "schedules?cursor=x", 400],
    ["a view that is none", "secrets", 404],
    ["a view of all objects", "__proto__", 404],
  ])("of %s is refused", async (_, path, status) => {
    const answer = await get(`/ui/api/${path}`);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toEqual({ error: expect.any(String) });
  });

  test("is shown to a hundred at a time", async () => {
    const streams: Stream[] = [];
    for (let at = 0; at < 100; at++) streams.push(await Stream.open(server, "/ui/api/events"));

    const refused = await get("/ui/api/events");
    streams[0]?.response.destroy();
    await streams[0]?.ended;

    expect(refused.status).toBe(503);
    expect(refused.headers["retry-after"]).toBe("5");
    let status = 503;
    while (status === 503) {
      const response = await head(server, { method: "GET", path: "/ui/api/events" });
      response.destroy();
      status = response.statusCode ?? 0;
    }
    expect(status).toBe(200);
    for (const { response } of streams) response.destroy();
  });

  test("ends when the server stops", async () => {
    const stream = await Stream.open(server, "/ui/api/events");
    await stream.until(":");

    await server.close();

    await stream.ended;
  });
});

async function bearer(claims: object): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await tokenOf({ ...claims })}` };
}
