/** `resonate mcp`: with a client of the library it is built with, and with lines of JSON-RPC. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningCommand, resonate } from "./command.ts";
import { type Asked, listening } from "./fake-server.ts";

const BIN = fileURLToPath(new URL("../bin/resonate.js", import.meta.url));

let server: RunningCommand;
let env: { RESONATE_URL: string };
let client: Client;
const notices: { readonly content: string; readonly meta: unknown }[] = [];
let look: () => void = () => {};

beforeAll(async () => {
  server = new RunningCommand(["dev", "--memory", "--server-port", "0"]);
  const [, url = ""] = await server.until(/listens on (\S+)\n/);
  env = { RESONATE_URL: url };
  client = new Client({ name: "test", version: "1" });
  client.fallbackNotificationHandler = async ({ method, params }) => {
    if (method !== "notifications/claude/channel") return;
    notices.push(params as unknown as (typeof notices)[number]); // As the tests below say.
    look();
  };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, "mcp"],
    env,
  });
  await client.connect(transport);
});
afterAll(async () => {
  await client.close();
  server.kill("SIGTERM");
  expect((await server.ended).code).toBe(0);
});

async function call(name: string, given: Record<string, unknown>) {
  const { content, isError } = await client.callTool({ name, arguments: given });
  const [{ text } = { text: "" }] = content as { text: string }[]; // Our tools answer with one text.
  return { isError, text };
}

async function data(name: string, given: Record<string, unknown>) {
  const { isError, text } = await call(name, given);
  expect({ isError, text }).toMatchObject({ isError: false });
  return JSON.parse(text);
}

async function noticeOf(handle: string) {
  const isIt = ({ meta }: (typeof notices)[number]) =>
    (meta as { handle: string }).handle === handle;
  while (!notices.some(isIt)) {
    await new Promise<void>((resolve) => {
      look = resolve;
    });
  }
  return notices.find(isIt);
}

const soon = () => Date.now() + 3_600_000;
const global = { "resonate:scope": "global" };
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a client", () => {
  test("hears who serves, and which tools there are", async () => {
    const { tools } = await client.listTools();

    expect(client.getServerVersion()?.name).toBe("resonate-mcp");
    expect(client.getServerCapabilities()).toMatchObject({
      tools: {},
      experimental: { "claude/channel": {} },
    });
    expect(
      Object.fromEntries(
        tools.map(({ name, inputSchema }) => [
          name,
          [(inputSchema.required ?? []).join(), Object.keys(inputSchema.properties ?? {}).join()],
        ]),
      ),
    ).toEqual({
      "promise-create": ["id,timeout_at", "id,timeout_at,param,tags"],
      "promise-get": ["id", "id"],
      "promise-settle": ["id,resolution", "id,resolution,value"],
      "promise-search": ["", "state,tags,limit,cursor"],
      "promise-listen": ["id", "id"],
      "resonate-bash": ["script", "script,id,timeoutMs,target,tags"],
    });
  });

  test("creates, reads, finds and settles promises", async () => {
    const tags = { ...global, job: "x" };
    const param = { headers: { h: "1" }, data: { n: 1 } };
    const created = await data("promise-create", { id: "p", timeout_at: soon(), param, tags });
    const got = await data("promise-get", { id: "p" });
    const found = await data("promise-search", { state: "pending", tags: { job: "x" }, limit: 5 });
    const value = { data: "fine" };
    const settled = await data("promise-settle", { id: "p", resolution: "reject", value });

    expect(created).toMatchObject({
      id: "p",
      state: "pending",
      tags,
      param: { headers: { h: "1" }, data: base64('{"n":1}') },
    });
    expect(got).toEqual(created);
    expect(found.promises).toEqual([created]);
    expect(settled).toMatchObject({ state: "rejected", value: { data: base64("fine") } });
  });

  test.each([
    ["resolve", "resolved"],
    ["reject", "rejected"],
    ["cancel", "canceled"],
  ])("that listens is told when a promise settles: %s", async (resolution, status) => {
    const id = `told-${status}`;
    await data("promise-create", { id, timeout_at: soon(), tags: global });
    const listened = await data("promise-listen", { id });
    const settled = await data("promise-settle", { id, resolution });

    const notice = await noticeOf(id);

    expect(listened).toMatchObject({ id, state: "pending" });
    expect(notice?.meta).toEqual({ handle: id, status });
    expect(JSON.parse(notice?.content ?? "")).toEqual(settled);
  });

  test("that listens is told when the time of a promise is over", async () => {
    await data("promise-create", { id: "late", timeout_at: Date.now() + 1_500, tags: global });
    await data("promise-listen", { id: "late" });

    expect((await noticeOf("late"))?.meta).toEqual({ handle: "late", status: "timedout" });
  });

  test("hands scripts on as promises, and is told of their end", async () => {
    const given = { script: "echo hi", id: "b", target: "poll://any@bash", tags: { k: "v" } };
    const before = Date.now();
    const handed = await data("resonate-bash", given);
    await data("promise-settle", { id: "b", resolution: "resolve" });

    expect(handed).toMatchObject({ listener_registered: true, target: "poll://any@bash" });
    const { tags, param, timeoutAt } = handed.promise;
    expect(tags).toEqual({ k: "v", "resonate:target": "poll://any@bash" });
    expect(param.data).toBe(base64("echo hi"));
    expect(timeoutAt).toBeGreaterThanOrEqual(before + 300_000);
    expect(await noticeOf("b")).toBeDefined();
  });

  test("hands scripts to bash:// under an id of their own, unless it says otherwise", async () => {
    const { promise, target } = await data("resonate-bash", { script: "ls", timeoutMs: 60_000 });

    expect(target).toBe("bash://");
    expect(promise.id).toMatch(/^bash-/);
  });

  test.each([
    ["promise-get", { id: "none" }, /not found/i],
    ["promise-get", { id: "" }, /id/],
    ["promise-settle", { id: "p", resolution: "maybe" }, /resolution/],
    ["promise-create", { id: "q" }, /timeout_at/],
    ["promise-listen", { id: "none" }, /not found/i],
    ["resonate-bash", { script: "x", target: "" }, /resonate:target/],
  ])("is told what is wrong: %s %j", async (name, given, reason) => {
    const { isError, text } = await call(name, given);

    expect(isError).toBe(true);
    expect(text).toMatch(reason);
  });
});

describe("lines of JSON-RPC", () => {
  test("are answered line by line; what is not known is -32601; the end of the input is the end", async () => {
    const child = spawn(process.execPath, [BIN, "mcp", "-S", env.RESONATE_URL]);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (message: object) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      return JSON.parse((await lines.next()).value ?? "");
    };
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "t", version: "1" },
    };

    const hello = await ask({ id: 1, method: "initialize", params });
    child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    const unknown = await ask({ id: 2, method: "resources/list" });
    child.stdin.write("no json\n");
    const again = await ask({ id: 3, method: "tools/list" });
    child.stdin.end();
    const [code] = await once(child, "close");

    expect(hello.result).toMatchObject({
      protocolVersion: "2025-11-25",
      serverInfo: { name: "resonate-mcp" },
    });
    expect(unknown).toMatchObject({ id: 2, error: { code: -32601 } });
    expect(again.result.tools).toHaveLength(6);
    expect([code, (await lines.next()).done]).toEqual([0, true]);
    expect(said).toMatch(/^(resonate mcp: [^\n]*\n)+$/);
  });

  test("a stream that breaks is opened again, and what settled meanwhile is told", async () => {
    let streams = 0;
    const door = createServer(async (request, response) => {
      if (request.method === "GET") {
        streams += 1;
        if (streams === 1) return response.writeHead(503).end();
        return response.writeHead(200).write(": open\n\n");
      }
      const { kind, head } = (await json(request)) as Asked;
      // It settles between the call and the stream.
      const state = kind === "promise.register_listener" && streams < 2 ? "pending" : "resolved";
      const answer = {
        kind,
        head: { ...head, status: 200 },
        data: { promise: { id: "x", state } },
      };
      return response.end(JSON.stringify(answer));
    });
    const url = await listening(door);
    const child = spawn(process.execPath, [BIN, "mcp", "-S", url], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.write(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"promise-listen","arguments":{"id":"x"}}}\n',
    );

    const answer = JSON.parse((await lines.next()).value ?? "");
    const notice = JSON.parse((await lines.next()).value ?? "");
    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    door.closeAllConnections();
    door.close();

    expect(answer.result.isError).toBe(false);
    expect(notice.params).toEqual({
      content: '{"id":"x","state":"resolved"}',
      meta: { handle: "x", status: "resolved" },
    });
    expect([streams, code]).toEqual([2, 0]);
  });
});

test("no other command loads the library", async () => {
  const loading = { env: { ...env, NODE_DEBUG: "esm" } };
  const mcp = await resonate(["mcp"], loading);
  const other = await resonate(["promises", "search"], loading);

  expect([mcp.code, other.code]).toEqual([0, 0]);
  expect(mcp.err).toContain("modelcontextprotocol");
  expect(other.err).not.toContain("modelcontextprotocol");
});
