import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { run } from "../src/run.ts";
import { resonate } from "./command.ts";
import { FakeServer, listening } from "./fake-server.ts";
import { memoryTerminal } from "./memory-terminal.ts";

const server = new FakeServer();
const { answer } = server;
let url: string;

beforeAll(async () => {
  url = await server.start();
});
beforeEach(() => {
  server.answer = answer;
  server.asked.length = 0;
  server.headers.length = 0;
});
afterAll(() => server.stop());

const decoded = (data: string) => JSON.parse(Buffer.from(data, "base64").toString("utf8"));

describe("invoke", () => {
  test("creates the root of a tree with everything that was said", async () => {
    const before = Date.now();

    const words = "invoke greet-1 -f greet --arg World --arg 7 --version 3 --timeout 1m --delay 2s";
    const ended = await resonate([...words.split(" "), "--target", "greeters", "-S", url]);

    const after = Date.now();
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toBe(
      `Created greet-1: greet, for poll://any@greeters at ${url}.\n` +
        `Follow it with: resonate tree greet-1 --server ${url}\n`,
    );
    const [{ kind, data } = { kind: "", data: {} }] = server.asked;
    expect(kind).toBe("promise.create");
    expect(decoded(data.param.data)).toEqual({ func: "greet", args: ["World", 7], version: 3 });
    expect(data.tags).toEqual({
      "resonate:origin": "greet-1",
      "resonate:branch": "greet-1",
      "resonate:parent": "greet-1",
      "resonate:scope": "global",
      "resonate:target": "poll://any@greeters",
      "resonate:delay": String(data.timeoutAt - 60_000),
    });
    expect(data.timeoutAt).toBeGreaterThanOrEqual(before + 62_000);
    expect(data.timeoutAt).toBeLessThanOrEqual(after + 62_000);
  });

  test("finds the server and its token in the environment, and shows the token twice", async () => {
    const env = { RESONATE_URL: url, RESONATE_TOKEN: "t" };

    const ended = await resonate(["invoke", "a", "-f", "f"], { env });

    expect(ended.out).toMatch(/Follow it with: resonate tree a\n$/);
    expect(server.asked).toMatchObject([{ head: { auth: "t" } }]);
    expect(server.headers).toMatchObject([{ authorization: "Bearer t" }]);
  });

  test("says when the id existed before", async () => {
    server.answer = ({ data }) => ({
      status: 200,
      data: { promise: { ...data, state: "rejected_timedout", timeoutAt: 1 } },
    });

    const people = await resonate(["invoke", "a", "-f", "f", "-S", url]);
    const program = await resonate(["invoke", "a", "-f", "f", "-S", url, "--json"]);

    expect(people.out).toContain("a exists already (timed out). Nothing was changed.");
    expect(JSON.parse(program.out)).toEqual({
      id: "a",
      state: "rejected_timedout",
      created: false,
    });
  });

  test.each(["gcps://project/topic", "bash://foo"])(
    "for %s, to which this server does not deliver, warns",
    async (target) => {
      const ended = await resonate(["invoke", "a", "-f", "f", "--target", target, "-S", url]);

      expect(ended.code).toBe(0);
      expect(ended.err).toMatch(/^Warning: .*https:\/\/ addresses alone.*\n$/);
      expect(ended.err).toContain(target);
    },
  );

  test.each([
    ["no function", ["a"], "--func"],
    ["a function without a name", ["a", "-f", ""], "--func must be the name of a function"],
    ["an id of nothing", ["", "-f", "f"], "an id must not be empty"],
    ["version 0", ["a", "-f", "f", "--version", "0"], "--version must be a whole number from 1"],
    ["a child's id", ["a:1", "-f", "f"], "must not contain ':'"],
    ["both kinds of arguments", ["a", "-f", "f", "--arg", "1", "--json-args", "[]"], "exclude"],
    ["arguments that are no array", ["a", "-f", "f", "--json-args", "{}"], "must be a JSON array"],
    [
      "a duration without a unit",
      ["a", "-f", "f", "--timeout", "5"],
      "--timeout must be a duration",
    ],
    ["a target that is none", ["a", "-f", "f", "--target", "a b"], "--target must be"],
    ["a server that is none", ["a", "-f", "f", "-S", "localhost:1"], "--server must be"],
    ["an unknown option", ["a", "-f", "f", "--timout", "1s"], "Did you mean --timeout?"],
  ])("%s is exit code 2, and nothing is sent", async (_name, words, message) => {
    const ended = await resonate(["invoke", ...words], { env: { RESONATE_URL: url } });

    expect(ended.code).toBe(2);
    expect(ended.err).toContain(message);
    expect(server.asked).toEqual([]);
  });
});

describe("promises", () => {
  test.each([
    ["resolve", "resolved"],
    ["reject", "rejected"],
    ["cancel", "rejected_canceled"],
  ])("%s settles as %s", async (verb, state) => {
    await resonate(["promises", verb, "a", "--json-value", '{"ok":true}', "-S", url]);

    expect(server.asked).toMatchObject([{ kind: "promise.settle", data: { id: "a", state } }]);
    expect(decoded(server.asked[0]?.data.value.data)).toEqual({ ok: true });
  });

  test("create encodes the data of a payload and keeps its headers", async () => {
    const param = '{"headers":{"h":"1"},"data":"text"}';

    const ended = await resonate([
      "promise",
      "create",
      "a",
      "-t",
      "1s",
      "--param",
      param,
      "--tags",
      '{"k":"v"}',
      "-S",
      url,
    ]);

    expect(ended.code).toBe(0);
    expect(server.asked).toMatchObject([
      {
        kind: "promise.create",
        data: { param: { headers: { h: "1" }, data: "dGV4dA==" }, tags: { k: "v" } },
      },
    ]);
  });

  test("get prints the record over several lines, or one with --json", async () => {
    const people = await resonate(["promises", "get", "a", "-S", url]);
    const program = await resonate(["promises", "get", "a", "-S", url, "--json"]);

    expect(people.out).toBe(
      '{\n  "id": "a",\n  "state": "pending",\n  "value": {},\n  "createdAt": 0\n}\n',
    );
    expect(program.out).toBe('{"id":"a","state":"pending","value":{},"createdAt":0}\n');
  });

  test("search asks for one page", async () => {
    server.answer = () => ({ status: 200, data: { promises: [], cursor: "next" } });

    const words = "promises search --state pending --limit 5 --cursor c --json";
    const ended = await resonate([...words.split(" "), "-S", url]);

    expect(ended.out).toBe('{"promises":[],"cursor":"next"}\n');
    expect(server.asked).toMatchObject([
      { kind: "promise.search", data: { state: "pending", limit: 5, cursor: "c", tags: {} } },
    ]);
  });

  test("get prints below the record what its payloads hold, but not with --json", async () => {
    const param = { data: btoa('{"func":"f","args":[1]}') };
    const value = { headers: { "resonate:encoding": "devalue" }, data: btoa('[["BigInt","120"]]') };
    const promise = { id: "a", param, value };
    server.answer = () => ({ status: 200, data: { promise } });

    const people = await resonate(["promises", "get", "a", "-S", url]);
    const program = await resonate(["promises", "get", "a", "-S", url, "--json"]);

    const record = JSON.stringify(promise, undefined, 2);
    expect(people.out).toBe(`${record}\nparam: { func: 'f', args: [ 1 ] }\nvalue: 120n\n`);
    expect(JSON.parse(program.out)).toEqual(promise);
  });

  test("get of an error prints what it says, and of what it cannot read that it cannot", async () => {
    const param = { data: "!" };
    const value = { data: btoa('{"__type":"error","name":"TypeError","message":"no way"}') };
    server.answer = () => ({ status: 200, data: { promise: { id: "a", param, value } } });

    const { code, out } = await resonate(["promises", "get", "a", "-S", url]);

    expect(code).toBe(0);
    expect(out).toMatch(/\nparam: not readable here .*\nvalue: TypeError: no way\n$/);
  });

  test("control characters in records are shown, not obeyed", async () => {
    const id = "\u001b[31mred\u0007\u009b\u202e\nline";
    server.answer = () => ({ status: 200, data: { promise: { id } } });

    const { out } = await resonate(["promises", "get", "a", "-S", url, "--json"]);

    expect(JSON.parse(out)).toEqual({ promise: { id } }.promise);
    expect(out.slice(0, -1)).toMatch(/^[\u0020-\u007e]+$/);
  });
});

describe("wrong input is exit code 2 and one plain line, and nothing is sent", () => {
  test.each([
    [["promises", "get", ""], "an id must not be empty"],
    [["promises", "create", "", "-t", "1s"], "an id must not be empty"],
    [["promises", "resolve", ""], "an id must not be empty"],
    [["tree", ""], "an id must not be empty"],
    [["promises", "search", "--limit", "0"], "--limit must be a whole number from 1 to 1000"],
    [["promises", "search", "--limit", "1001"], "--limit must be a whole number from 1 to 1000"],
    [["promises", "search", "--state", "foo"], "Allowed choices are pending, resolved,"],
  ])("%j", async (words, message) => {
    const ended = await resonate(words, { env: { RESONATE_URL: url } });

    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(/^Error: [^\n]*\n$/);
    expect(ended.err).toContain(message);
    expect(server.asked).toEqual([]);
  });
});

describe("a server", () => {
  test("that finds the input wrong is exit code 2", async () => {
    server.answer = () => ({ status: 400, data: "cursor: is none" });

    const ended = await resonate(["promises", "search", "--cursor", "zzz", "-S", url]);

    expect(ended).toEqual({ code: 2, out: "", err: "Error: cursor: is none\n" });
  });

  test("that refuses is exit code 1 with its message", async () => {
    server.answer = () => ({ status: 404, data: "Promise not found\u001b[2J" });

    const ended = await resonate(["promises", "get", "a", "-S", url]);

    expect(ended).toEqual({ code: 1, out: "", err: "Error: Promise not found\n" });
  });

  test("that is not there is exit code 1 and one line that says where it was looked for", async () => {
    const nobody = createServer();
    const gone = await listening(nobody);
    await new Promise((resolve) => nobody.close(resolve));

    const ended = await resonate(["tree", "a", "-S", gone]);

    expect(ended.code).toBe(1);
    expect(ended.err).toBe(
      `Error: there is no server at ${gone} (ECONNREFUSED). ` +
        "Start one with 'resonate dev', or say where it is with --server\n",
    );
  });

  test("that is something else is named so", async () => {
    const page = createHttp((_request, response) => response.end("<html>"));
    const where = await listening(page);

    const ended = await resonate(["promises", "get", "a", "-S", where]);
    page.closeAllConnections();
    page.close();

    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`what answers at ${where} is not a Resonate server (HTTP 200)`);
  });
});

describe("tree of a run that takes long to read", () => {
  const words = () => ["tree", "a", "-S", url];

  test("says so to somebody who looks", async () => {
    const terminal = memoryTerminal({ watched: true });
    server.answer = async () => {
      await terminal.said(/Reading/);
      return { status: 404, data: "gone" };
    };

    const code = await run(words(), terminal);

    expect(code).toBe(1);
    expect(terminal.errors).toEqual(["Reading a …", "Error: gone"]);
  });

  test("says nothing when it is fast", async () => {
    const terminal = memoryTerminal({ watched: true });
    server.answer = () => ({ status: 404, data: "gone" });

    await run(words(), terminal);

    expect(terminal.errors).toEqual(["Error: gone"]);
  });
});

describe("help", () => {
  test.each(["dev", "serve"])(
    "of %s names the variables and what may be given",
    async (command) => {
      const { out } = await resonate([command, "--help"]);

      expect(out).toContain("--server-port is RESONATE_SERVER__PORT");
      expect(out).toContain("one of debug, info, warn, error (default: ");
      expect(out).toContain("one of sqlite, postgres, memory (default: sqlite)");
    },
  );

  test("of invoke names the exit code of Ctrl-C", async () => {
    expect((await resonate(["invoke", "--help"])).out).toContain("exit code 130");
  });

  test.each([
    [[]],
    [["dev"]],
    [["serve"]],
    [["invoke"]],
    [["tree"]],
    [["promises"]],
    [["promises", "resolve"]],
  ])("of %j has examples and is exit code 0", async (words) => {
    const ended = await resonate([...words, "--help"]);

    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toMatch(/Examples?:\n {2}\$ resonate/);
  });

  test("a command that does not exist is exit code 2", async () => {
    const ended = await resonate(["trees", "a"]);

    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(/^Error: unknown command 'trees'/);
    expect(ended.err).toContain("Did you mean tree?");
  });

  test("--version prints the version", async () => {
    expect((await resonate(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
